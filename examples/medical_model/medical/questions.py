"""What ten users want to know: the same each time."""

import random
from collections.abc import Sequence

from medical.corpus import Document

FORMS = (
    "What is known about {0}?",
    "What should I know about {0}?",
    "What do doctors say about {0}?",
    "What matters most about {0}?",
)
FORM_OF_TWO = "What do {0} and {1} have in common?"


def questions_of(user: int, documents: Sequence[Document], count: int) -> list[str]:
    """Return `count` questions of user number `user`; every fifth joins two subjects."""
    chance = random.Random(user)
    asked = []
    for number in range(count):
        one, other = (document.title.lower() for document in chance.sample(documents, 2))
        form = FORM_OF_TWO if number % 5 == 4 else chance.choice(FORMS)
        asked.append(form.format(one, other))
    return asked
