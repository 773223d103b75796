"""The renderer of mails, made of the settings."""

from domain.mail import MailRenderer
from domain.mail.brand import Brand
from domain.mail.preview import require_usable
from domain.mail.templates import Templates
from settings import Settings


def create_renderer(settings: Settings) -> MailRenderer:
    """Create the renderer. Raises ValueError, with one line, for templates that cannot be used."""
    folder = settings.mail_templates_dir
    renderer = MailRenderer(
        sender=settings.sender,
        pages=settings.links_url,
        brand=Brand(settings.brand_name, settings.brand_color),
        templates=Templates(folder),
    )
    if folder is not None:
        require_usable(renderer, folder)
    return renderer
