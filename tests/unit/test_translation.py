"""Templates are compiled with the messages of the language that is spoken."""

import pytest
from jinja2 import Environment

from directory.app import create_app
from directory.language import speaking
from directory.services import Services
from directory.settings import Settings


@pytest.fixture
def env(parts: Services) -> Environment:
    return create_app(Settings(), parts).jinja_env


@pytest.mark.parametrize(("language", "said"), [("en", "Yes"), ("es", "Sí")])
def test_a_message_is_there_before_the_page_is_made(
    env: Environment, language: str, said: str
) -> None:
    with speaking(language):
        template = env.from_string('{{ _("Yes") }}')
    assert template.render() == said, "in the language that it was compiled in"


def test_what_is_filled_in_is_escaped(env: Environment) -> None:
    with speaking("es"):
        template = env.from_string('{{ _("Search") }} {{ _("Call %(phone)s", phone=it) }}')
    assert template.render(it="<b>") == "Buscar Llamar al &lt;b&gt;"


def test_a_message_that_is_not_known_before_is_said_in_the_end(env: Environment) -> None:
    template = env.from_string("{{ _(it) }}")
    with speaking("es"):
        assert template.render(it="Yes") == "Sí"


def test_each_language_has_its_own_templates(env: Environment) -> None:
    english = env.get_template("_card.html")
    with speaking("es"):
        assert env.get_template("_card.html") is not english
    assert env.get_template("_card.html") is english
