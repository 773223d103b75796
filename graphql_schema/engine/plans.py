"""Plans: operations compiled to plain calls.

For every request graphql-core collects the fields of each selection, looks each field up in its
type and inspects the field's own type. For one document the results never change. A plan stores
them.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Self

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    default_type_resolver,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, inspect
from graphql.type import TypeNameMetaFieldDef
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from graphql_schema.engine.completion import (
    Completion,
    each,
    optional,
    raising,
    required,
    serializer,
)
from graphql_schema.engine.execution import (
    Attribute,
    Complete,
    ExecutionState,
    Field,
    Operation,
    Resolved,
    Selection,
    TypeName,
)
from graphql_schema.engine.resolvers import resolver_of
from graphql_schema.engine.selections import all_selections


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled operation, for one outcome of its ``@skip`` and ``@include``."""

    operation: Operation
    root: Selection
    fields: int
    root_fields: tuple[str, ...]

    @classmethod
    def of(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> Self:
        """Compile a valid document. Of the variables, only what they skip and include is kept."""
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        planned = Operation(schema, fragments, operation)
        planner = _Planner(planned, variables)
        root = planner.root()
        # Names of the schema, each once.
        root_fields = dict.fromkeys(field.nodes[0].name.value for field in root.fields)
        return cls(planned, root, planner.fields, tuple(root_fields))

    @property
    def is_subscription(self) -> bool:
        return self.operation.node.operation is OperationType.SUBSCRIPTION

    def subscribe(self, context: object, variables: VariableValues) -> AsyncGenerator[Any, None]:
        """Return the source stream of a subscription (GraphQL specification, section 6.2.3). For
        each of its events, the operation is executed.

        Raises GraphQLError.
        """
        if len(self.root.fields) != 1:
            raise GraphQLError("A subscription must select one field.")
        [field] = self.root.fields
        assert isinstance(field, Resolved)  # validation has checked it
        return field.subscribe(ExecutionState(self.operation, context, variables))

    async def execute(
        self, context: object, variables: VariableValues, event: object = None
    ) -> ExecutionResult:
        """Execute the operation: a subscription, for one event of its source stream."""
        state = ExecutionState(self.operation, context, variables)
        try:
            if self.operation.node.operation is OperationType.MUTATION:
                data = await self.root.execute_in_turn(state)
            else:
                data = self.root.execute(state, event, None)
                if type(data) is CoroutineType:
                    data = await data
        except GraphQLError as error:
            state.errors.add(error, None)
            data = None
        return ExecutionResult(data, state.errors.errors or None)


def variables_for_conditions(document: DocumentNode) -> frozenset[str]:
    """Return the names of the variables in ``@skip`` and ``@include``."""
    return frozenset(
        argument.value.name.value
        for selection in all_selections(document)
        for directive in selection.directives or ()
        for argument in directive.arguments or ()
        if isinstance(argument.value, VariableNode)
    )


class _Planner:
    def __init__(self, operation: Operation, variables: VariableValues) -> None:
        self._operation = operation
        self._schema = operation.schema
        self._fragments = {
            name: FragmentDetails(node) for name, node in operation.fragments.items()
        }
        self._variables = variables
        self.fields = 0

    def root(self) -> Selection:
        node = self._operation.node
        root_type = self._schema.get_root_type(node.operation)
        assert root_type is not None  # validation has checked it
        collected = collect_fields(self._schema, self._fragments, self._variables, root_type, node)
        return self._selection(root_type, collected.grouped_field_set)

    def _selection(self, on: GraphQLObjectType, fields: GroupedFieldSet) -> Selection:
        return Selection([self._field(name, on, details) for name, details in fields.items()])

    def _field(self, name: str, on: GraphQLObjectType, details: list[FieldDetails]) -> Field:
        self.fields += 1
        nodes = [detail.node for detail in details]
        definition = self._schema.get_field(on, nodes[0].name.value)
        assert definition is not None  # validation has checked it
        if definition is TypeNameMetaFieldDef:
            return TypeName(name=name, nodes=nodes, parent=on, definition=definition)
        attribute, leaf = _attribute(definition), get_nullable_type(definition.type)
        if attribute and is_leaf_type(leaf):
            return Attribute(
                name=name,
                nodes=nodes,
                parent=on,
                definition=definition,
                attribute=attribute,
                serialize=serializer(leaf),
            )
        completion = self._completion(definition.type, details)
        return Resolved(
            name=name,
            nodes=nodes,
            parent=on,
            definition=definition,
            attribute=attribute,
            resolve=resolver_of(definition),
            complete=completion.complete,
            read_value=completion.read,
        )

    def _completion(self, to: GraphQLOutputType, details: list[FieldDetails]) -> Completion:
        if is_non_null_type(to):
            return required(self._completion(to.of_type, details))
        if is_list_type(to):
            inner = self._completion(to.of_type, details)
            return optional(each(inner, is_required=is_non_null_type(to.of_type)))
        if is_leaf_type(to):
            serialize = serializer(to)
            return optional(
                Completion(lambda field, state, value, path: serialize(value), serialize)
            )
        if is_abstract_type(to):
            return optional(Completion(self._any_of(to, details)))
        assert is_object_type(to)
        return optional(self._object(to, details))

    def _object(self, to: GraphQLObjectType, details: list[FieldDetails]) -> Completion:
        try:
            collected = collect_subfields(
                self._schema, self._fragments, self._variables, self._operation.node, to, details
            )
        except GraphQLError as error:  # a condition in the selection is null
            return Completion(raising(error))
        selection, classes = self._selection(to, collected.grouped_field_set), _classes_of(to)

        def complete(field: Field, state: ExecutionState, value: Any, path: Path) -> Any:
            if (
                to.is_type_of
                and type(value) not in classes
                and not to.is_type_of(value, field.info(state, path))
            ):
                raise GraphQLError(f"Expected value of type '{to}' but got: {inspect(value)}.")
            return selection.execute(state, value, path)

        def read(value: Any) -> Any:
            if type(value) not in classes:
                raise TypeError
            return selection.read(value)

        return Completion(complete, read if selection.is_plain else None)

    def _any_of(self, to: GraphQLAbstractType, details: list[FieldDetails]) -> Complete:
        objects = {
            possible.name: self._object(possible, details).complete
            for possible in self._schema.get_possible_types(to)
        }
        resolve_type = to.resolve_type or default_type_resolver

        def complete(field: Field, state: ExecutionState, value: Any, path: Path) -> Any:
            name = resolve_type(value, field.info(state, path), to)
            if not isinstance(name, str) or name not in objects:
                raise GraphQLError(f"'{to}' must resolve to one of its types, for field {field}.")
            return objects[name](field, state, value, path)

        return complete


def _classes_of(to: GraphQLObjectType) -> frozenset[type]:
    """Return the classes whose direct instances are of an object type: Strawberry's own for it, and
    the generic one that it is made of. Without any, `is_type_of` decides."""
    definition = to.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of:
        return frozenset()
    generic = definition.concrete_of
    return frozenset([definition.origin, *([generic.origin] if generic else [])])


def _attribute(definition: GraphQLField) -> str | None:
    """Return the attribute that holds the value of a field without a resolver, or None."""
    of_strawberry = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if isinstance(of_strawberry, StrawberryField) and of_strawberry.is_basic_field:
        return of_strawberry.python_name
    return None
