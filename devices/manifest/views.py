"""Factory manifests: upload, look at the check, correct the columns, apply, take the refused rows home."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access import Permission, requires
from console.imports import refused
from console.imports.pages import earlier, progress, same_files, template_file, urls
from console.imports.preview import ApplyForm, Preview
from console.requests import Request
from devices.manifest import ManifestKind, actions
from devices.manifest.kind import COLUMNS
from devices.manifest.pages import ManifestColumnsForm, ManifestForm, understood
from devices.models import ManifestImport


def _visible(request: Request) -> QuerySet:
    return ManifestImport.objects.visible_to(request.actor).select_related("product", "operation")


@requires(Permission.DEVICE_IMPORT)
def manifest_create(request: Request) -> HttpResponse:
    """Upload a file for a product; `?template=1` is a file to fill in."""
    if "template" in request.GET:
        return template_file(COLUMNS, "custody-manifest")
    form = ManifestForm(request)
    if request.method == "POST" and form.is_valid():
        manifest = form.receive(by=request.actor)
        if manifest is not None:
            actions.check(manifest, by=request.actor)
            return redirect(manifest)
    context = {"form": form, "earlier": earlier(_visible(request)), "understood": understood()}
    return render(request, "devices/manifest/manifest_create.html", context, status=422 if form.errors else 200)


@requires(Permission.DEVICE_IMPORT)
def manifest_detail(request: Request, pk: int) -> HttpResponse:
    """What the check found, and what was done."""
    manifest = get_object_or_404(_visible(request), pk=pk)
    if request.htmx.target == "progress":
        return progress(request, manifest)
    context = {
        "import": manifest,
        "preview": Preview(manifest, ManifestKind),
        "same": same_files(_visible(request), manifest),
        "urls": urls("devices:manifest", manifest.pk),
    }
    return render(request, "devices/manifest/manifest_detail.html", context)


@requires(Permission.DEVICE_IMPORT)
def manifest_columns(request: Request, pk: int) -> HttpResponse:
    """Correct how the file is read, and check it anew."""
    manifest = get_object_or_404(_visible(request), pk=pk)
    form = ManifestColumnsForm(request.POST if request.method == "POST" else None, manifest)
    if request.method == "POST" and form.is_valid():
        actions.check(manifest, by=request.actor, reading=form.reading())
        return redirect(manifest)
    context = {"manifest": manifest, "form": form}
    return render(request, "devices/manifest/manifest_columns.html", context, status=422 if form.errors else 200)


@requires(Permission.DEVICE_IMPORT)
def manifest_apply(request: Request, pk: int) -> HttpResponse:
    """Register what the check found good."""
    manifest = get_object_or_404(_visible(request), pk=pk)
    form = ApplyForm(request.POST)
    if request.method == "POST" and form.is_valid():
        actions.apply(manifest, by=request.actor, **form.cleaned_data)
    return redirect(manifest)


@requires(Permission.DEVICE_IMPORT)
def manifest_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """The refused rows, to be corrected and sent again."""
    return refused.answer(request, get_object_or_404(_visible(request), pk=pk), ManifestKind)
