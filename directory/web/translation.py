"""Templates with their messages in place: each is compiled once for each language.

A page of results has 170 messages that stand in its templates word by word. To look them up and
escape them while the page was made took 0.3 ms.
"""

from collections.abc import MutableMapping
from typing import Any

from flask.sansio.app import App
from flask.templating import Environment
from jinja2 import PrefixLoader, Template, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from directory.language import LANGUAGES, gettext, spoken


class TranslatedTemplates(Environment):
    """Flask's environment, but for the language that is spoken: it keeps a template by both.

    What is said with `_` and a message is said then and there. A message that is known only as the
    page is made (`_(label)`) is looked up then.
    """

    def __init__(self, app: App, **options: Any) -> None:  # noqa: ANN401  # as Flask has it
        loader = app.create_global_jinja_loader()
        super().__init__(app, loader=PrefixLoader(dict.fromkeys(LANGUAGES, loader)), **options)

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002  # Jinja's name for it
    ) -> Template:
        """The template, in the language that is spoken."""
        in_language = f"{spoken()}/{name}" if isinstance(name, str) else name
        return super().get_template(in_language, parent, globals)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What every template may use: as it is, where a template has nothing of its own.

        Jinja lays an empty map over it, and asks both for each of 50 names at each import, which
        takes 0.2 ms a page.
        """
        return super().make_globals(d) if d else self.globals

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:  # noqa: ANN401  # Jinja's own hook
        return super()._generate(_Said().visit(source), *args, **options)


class _Said(NodeTransformer):
    """Puts what a message says in the place of the call that asks for it."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  # as Jinja calls it
        self.generic_visit(node)
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(message))], dyn_kwargs=None
            ):
                said = nodes.Const(Markup(gettext(message)), lineno=node.lineno)  # noqa: S704  # ours, not anybody's
                return _filled(said, node.kwargs) if node.kwargs else said
        return node


def _filled(said: nodes.Const, values: list[nodes.Keyword]) -> nodes.Mod:
    pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in values]
    return nodes.Mod(said, nodes.Dict(pairs), lineno=said.lineno)
