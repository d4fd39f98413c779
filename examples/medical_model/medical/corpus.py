"""Three datasets of short medical abstracts, written for this example: no medical advice."""

import re
from dataclasses import dataclass
from pathlib import Path

from node.types.primitives import Hash32, keccak256

FOLDER = Path(__file__).resolve().parents[1] / "corpus"
NAMES = ("cardiology", "infectious_disease", "nutrition")

_TOKEN = re.compile(r"[a-z0-9]+|[.,:?]")


@dataclass(frozen=True)
class Document:
    """One abstract. `dataset` is the place of its dataset in the corpus, from 0 on."""

    dataset: int
    title: str
    text: str
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """What one contributor brings. `content_hash`, of the file's bytes, goes on the chain."""

    name: str
    content_hash: Hash32
    documents: tuple[Document, ...]


def tokens_of(text: str) -> tuple[str, ...]:
    """Return words in lower case, and punctuation.

    >>> tokens_of("Salt, of course.")
    ('salt', ',', 'of', 'course', '.')
    """
    return tuple(_TOKEN.findall(text.lower()))


def load_corpus() -> tuple[Dataset, ...]:
    """Read the datasets of this example."""
    return tuple(_read(place, name) for place, name in enumerate(NAMES))


def _read(place: int, name: str) -> Dataset:
    content = (FOLDER / f"{name}.md").read_bytes()
    sections = content.decode().split("\n## ")[1:]
    documents = []
    for section in sections:
        title, _, text = section.partition("\n")
        text = " ".join(text.split())
        documents.append(Document(place, title, text, tokens_of(text)))
    return Dataset(name, keccak256(content), tuple(documents))
