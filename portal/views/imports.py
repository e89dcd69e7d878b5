"""A creator's imports: send a file of works, follow it, read what became of each row."""

from itertools import islice

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from portal.access import for_creators
from portal.forms.imports import SendWorks
from portal.listing import cut
from portal.troubles import plain
from registry import csv_lines, import_reports, uploads
from registry import imports as registry_imports
from registry.errors import RegistryError
from registry.ids import find
from registry.import_files import COLUMNS
from registry.models import Creator, Import

ROWS_SHOWN = 50
STATES = {
    Import.Status.RECEIVING: gettext_lazy("waiting"),
    Import.Status.READING: gettext_lazy("being read"),
    Import.Status.REGISTERING: gettext_lazy("being registered"),
    Import.Status.READY: gettext_lazy("done"),
    Import.Status.FAILED: gettext_lazy("refused"),
}
EXAMPLES = (
    {
        "title": "April",
        "medium": "text",
        "url": "https://you.example/april https://you.example/spring",
        "reference": "A-1",
        "train-ai": "allow paid",
        "ai-input": "deny",
    },
    {"title": "May", "medium": "image", "sha256": "0" * 64, "reference": "A-2", "search": "allow"},
)


@require_http_methods(["GET", "POST"])
@for_creators
def imports(request: HttpRequest, creator: Creator) -> HttpResponse:
    """List the imports; on POST take a file in."""
    form = SendWorks(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _taken_in(creator, form)
        except RegistryError as error:
            form.add_error("file", plain(error))
        else:
            messages.success(request, _("The file is here. Its rows are taken one after another."))
            return redirect("portal:import", made.pk)
    listing = cut(request, creator.imports.all(), sorts={"sent": "created_at"}, default="-sent")
    rows = [(row, STATES[Import.Status(row.status)]) for row in listing.page]
    return render(
        request,
        "portal/imports.html",
        {"form": form, "listing": listing, "rows": rows},
        status=422 if form.errors else 200,
    )


@require_safe
@for_creators
def one_import(request: HttpRequest, creator: Creator, import_id: str) -> HttpResponse:
    """Show how far an import is, and the first rows that were not registered."""
    shown = find(creator.imports.select_related("upload"), import_id)
    troubled = registry_imports.report(shown, only=["error", "duplicate"])
    return render(
        request,
        "portal/import.html",
        {
            "import": shown,
            "state": STATES[Import.Status(shown.status)],
            "going_on": shown.status not in {Import.Status.READY, Import.Status.FAILED},
            "pace": round(registry_imports.rows_per_second(shown) or 0),
            "troubled": list(islice(troubled, ROWS_SHOWN)),
        },
    )


@require_safe
@for_creators
def report(request: HttpRequest, creator: Creator, import_id: str) -> StreamingHttpResponse:
    """Download what became of each row."""
    del request
    shown = find(creator.imports.all(), import_id)
    answer = StreamingHttpResponse(
        import_reports.as_csv(shown), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{shown.pk}.csv"'
    return answer


@require_safe
@for_creators
def template(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Download a file to fill in: the columns, and two rows as examples."""
    del request, creator
    rows = [COLUMNS, *([example.get(name, "") for name in COLUMNS] for example in EXAMPLES)]
    written = "".join(csv_lines.line(row) for row in rows)
    answer = HttpResponse(written, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="works.csv"'
    return answer


def _taken_in(creator: Creator, form: SendWorks) -> Import:
    """Keep the file for the workers. Raises UploadTooLarge."""
    file, now = form.cleaned_data["file"], timezone.now()
    upload = uploads.begin(creator, size=file.size, at=now)
    upload = uploads.receive(upload, offset=0, blocks=file.chunks(), at=now)
    return registry_imports.expect(
        creator,
        upload,
        written_as=Import.Format(form.cleaned_data["format"]),
        dry_run=form.cleaned_data["dry_run"],
        at=now,
    )
