"""Own the drawings: the mark and the small signs, as inline SVG in the colour of the text."""

from django.utils.safestring import SafeString, mark_safe

# Strokes on a 20 × 20 field. Each sign goes beside a word and is hidden from screen readers.
STROKES = {
    "allow": '<circle cx="10" cy="10" r="8"/><path d="m6.5 10.2 2.4 2.4 4.6-5"/>',
    "deny": '<circle cx="10" cy="10" r="8"/><path d="m4.5 4.5 11 11"/>',
    "license": '<path d="M5 2.5h7l3 3v12H5z"/><path d="M8 8h4M8 11h4M8 14h2"/>',
    "unknown": '<circle cx="10" cy="10" r="8" stroke-dasharray="2.6 2.4"/><path d="M7 10h6"/>',
    "notice": '<circle cx="10" cy="10" r="8"/><path d="M10 9v5M10 6.2v.1"/>',
    "warning": '<path d="M10 3 18 17H2z"/><path d="M10 8.5v4M10 14.6v.1"/>',
    "error": '<circle cx="10" cy="10" r="8"/><path d="M10 5.5v5.5M10 14v.1"/>',
    "success": '<circle cx="10" cy="10" r="8"/><path d="m6.5 10.2 2.4 2.4 4.6-5"/>',
    "next": '<path d="m8 4.5 5.5 5.5L8 15.5"/>',
    "back": '<path d="M12 4.5 6.5 10l5.5 5.5"/>',
    "up": '<path d="M10 16V4.5M5.5 9 10 4.5 14.5 9"/>',
    "down": '<path d="M10 4v11.5M5.5 11l4.5 4.5 4.5-4.5"/>',
    "add": '<path d="M10 4v12M4 10h12"/>',
    "waiting": '<circle cx="10" cy="10" r="8"/><path d="M10 5.5V10l3 2"/>',
}


def sign(name: str) -> SafeString:
    """Return the sign of that name; an unknown name is a mistake in a template."""
    return mark_safe(  # noqa: S308 - constant drawings of this module
        '<svg class="icon" viewBox="0 0 20 20" width="18" height="18" fill="none" '
        'stroke="currentColor" stroke-width="1.6" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true">{STROKES[name]}</svg>'
    )


def mark() -> SafeString:
    """Return the mark: consent, credit and compensation, three rings that overlap."""
    return mark_safe(
        '<svg class="mark" viewBox="0 0 40 40" width="28" height="28" aria-hidden="true">'
        '<circle cx="20" cy="13.5" r="10"/><circle cx="13.5" cy="25" r="10"/>'
        '<circle cx="26.5" cy="25" r="10"/></svg>'
    )
