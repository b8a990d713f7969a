"""What the service can do, drawn from what it reads."""

from importlib.metadata import version

from directory.fhir.elements import Json, Site
from directory.fhir.parameters import PARAMETERS
from directory.fhir.resources import LINKS, Type
from directory.fhir.search import FORMATS

DATE = "2026-11-25"
"""When what is declared here last changed."""


def capability(site: Site) -> Json:
    """The CapabilityStatement.

    It instantiates nothing: of Plan-Net's resources, parameters and chains it is a subset.
    """
    return {
        "resourceType": "CapabilityStatement",
        "id": "directory",
        "url": f"{site.fhir}/metadata",
        "name": "DryNeedlingDirectory",
        "title": "Dry-needling directory",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {
            "name": "dry-needling-directory",
            "version": version("dry-needling-directory"),
        },
        "implementation": {
            "description": "Practitioners, read-only: a subset of Da Vinci PDEX Plan-Net",
            "url": site.fhir,
        },
        "fhirVersion": "4.0.1",
        "format": list(FORMATS),
        "rest": [{"mode": "server", "resource": [_resource(each) for each in Type]}],
    }


def _resource(type_: Type) -> Json:
    declared = PARAMETERS[type_].values()
    forward = [f"{source}:{link}" for source, link in LINKS if source is type_]
    backward = [f"{source}:{link}" for (source, link), target in LINKS.items() if target is type_]
    found: Json = {
        "type": type_.value,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [
            {"name": each.name, "type": each.type, "documentation": each.says} for each in declared
        ],
    }
    if forward:
        found["searchInclude"] = forward
        found["referencePolicy"] = ["literal", "local"]
    if backward:
        found["searchRevInclude"] = backward
    return found
