"""Renders the chart as Helm does, for the tests."""

import pathlib
import tempfile

import helm_python
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "verbatim"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
EVERYTHING = pathlib.Path(__file__).parent / "everything.yaml"
# The least that mode postgres needs.
POSTGRES = {"mode": "postgres", "postgres": {"urlSecret": {"name": "db"}}}

NAMESPACE = "sales"
RELEASE = "demo"


class OnceLoader(yaml.SafeLoader):
    """Refuses a key given twice, which YAML forbids and most readers let pass."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"given twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


def read(path):
    return yaml.load(path.read_text(), OnceLoader) or {}


def with_image(values):
    """The values, with the one that has no default."""
    return merged({"image": {"repository": "registry.example.com/verbatim"}}, values)


def merged(below, above):
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


# All that mode postgres can have switched on.
EVERYTHING_POSTGRES = merged(read(EVERYTHING), read(EVERYTHING.with_name("everything-postgres.yaml")))


def files(values, release=RELEASE, chart=CHART):
    """The text of each file of the chart, by its path in `templates`."""
    with helm_python.Chart.load(str(chart)) as loaded:
        rendered = loaded.render(with_image(values), name=release, namespace=NAMESPACE)
    return {path.split("/templates/", 1)[1]: text for path, text in rendered.items()}


def objects(values, release=RELEASE, chart=CHART):
    """Every object the chart makes of the values."""
    found = []
    for path, text in files(values, release, chart).items():
        if path.endswith(".txt"):
            continue
        found += [document for document in yaml.load_all(text, OnceLoader) if document]
    return found


def one(kind, values, name=None, **more):
    """The one object of a kind (and name)."""
    hits = [
        each
        for each in objects(values, **more)
        if each["kind"] == kind and name in (None, each["metadata"]["name"])
    ]
    assert len(hits) == 1, f"{len(hits)} of {kind} {name or ''}"
    return hits[0]


def pod(values, **more):
    kind = "Deployment" if values.get("mode") == "postgres" else "StatefulSet"
    return one(kind, values, **more)["spec"]["template"]


def container(values, **more):
    return next(each for each in pod(values, **more)["spec"]["containers"] if each["name"] == "verbatim")


def many(values):
    """The same in mode postgres."""
    return merged(values, POSTGRES)


def job(values, name, **more):
    """The Pod of the migration or of the backup, as a template."""
    if name == "migrate":
        return one("Job", values, **more)["spec"]["template"]
    return one("CronJob", values, **more)["spec"]["jobTemplate"]["spec"]["template"]


def refusal(values):
    """Why the values are refused; None if they are not."""
    try:
        objects(values)
    except helm_python.HelmError as error:
        return str(error)
    return None


def copy_of_chart(change):
    """A copy of the chart in a temporary directory, changed by a function of its path; the caller keeps the directory."""
    import shutil

    home = tempfile.TemporaryDirectory()
    copy = pathlib.Path(home.name) / "verbatim"
    shutil.copytree(CHART, copy)
    change(copy)
    return home, copy
