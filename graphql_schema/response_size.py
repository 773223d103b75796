"""The size of responses: how much one may hold, and how much all that are under way may hold."""

from collections import Counter

from domain.errors import Overloaded, QueryTooCostly, Unavailable

# The default page of 20 posts fits whatever they contain: 50,000 characters of 4 bytes each.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024

# Of the responses that are being made, or that their clients have not read yet: a process with all
# of them stays small, and one network cannot keep the others out.
MAX_BYTES_UNDER_WAY = 32 * 1024 * 1024
MAX_BYTES_UNDER_WAY_PER_NETWORK = 8 * 1024 * 1024


class ResponsesUnderWay:
    """The bytes of the large responses of a process, from before they are read from the database
    until their clients have them."""

    def __init__(self) -> None:
        self.total = 0
        self._by_network: Counter[str] = Counter()

    def add(self, network: str, size: int) -> None:
        """Add bytes. Raises Overloaded if that is too much together with the others."""
        if (
            self.total + size > MAX_BYTES_UNDER_WAY
            or self._by_network[network] + size > MAX_BYTES_UNDER_WAY_PER_NETWORK
        ):
            raise Overloaded(
                "Too many large responses are under way. Read them, or try again in a moment."
            )
        self.total += size
        self._by_network[network] += size

    def remove(self, network: str, size: int) -> None:
        self.total -= size
        self._by_network[network] -= size
        if not self._by_network[network]:
            del self._by_network[network]


class ResponseSize:
    """The bytes reserved for the response to one operation."""

    __slots__ = ("_is_over", "_network", "_reserved", "_under_way")

    def __init__(self, under_way: ResponsesUnderWay, network: str) -> None:
        self._under_way = under_way
        self._network = network
        self._reserved = 0
        self._is_over = False

    @property
    def may_be_large(self) -> bool:
        """Tell whether bytes are reserved, as for each post with its content."""
        return self._reserved > 0

    def reserve(self, size: int) -> None:
        """Reserve bytes before they are read. Raises QueryTooCostly or Overloaded, or Unavailable
        after the response: a field whose result is not needed may still be running."""
        if self._is_over:
            raise Unavailable
        if self._reserved + size > MAX_RESPONSE_BYTES:
            raise QueryTooCostly(
                f"The response would have more than {MAX_RESPONSE_BYTES} bytes."
                " Ask for fewer objects at a time, or without `content`."
            )
        self._under_way.add(self._network, size)
        self._reserved += size

    def grow_to(self, size: int) -> None:
        """Reserve what the response has beyond the bytes reserved so far. Raises QueryTooCostly or
        Overloaded."""
        if size > self._reserved:
            self.reserve(size - self._reserved)

    def release(self) -> None:
        """Give back what was reserved, when the client has the response or has left."""
        self._is_over = True
        if self._reserved:
            self._under_way.remove(self._network, self._reserved)
            self._reserved = 0
