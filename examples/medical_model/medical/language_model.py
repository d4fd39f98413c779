"""The model: finds the abstracts that a question is about, and goes on word by word from there.

It is a trigram model with backoff. What follows two words is drawn from what followed them in the
abstracts that were found, and now and then from the whole corpus: there it changes documents. It
understands nothing. The same question always gets the same answer.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log2

from medical.corpus import Document, tokens_of
from node.types.primitives import keccak256

OPENING = "the abstracts say :"
"""The model's own words, which stay unattributed."""

_FOUND = 3
_ENOUGH_TOKENS = 45
_MOST_TOKENS = 90
_FOUND_WEIGHT = 40

_Follow = dict[tuple[str, ...], Counter[str]]


class LanguageModel:
    """Answers questions from documents."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._everywhere = _followers(document.tokens for document in documents)
        self._title_words = [frozenset(tokens_of(document.title)) for document in documents]
        spread: Counter[str] = Counter()
        for document, title in zip(documents, self._title_words, strict=True):
            spread.update(title | set(document.tokens))
        self._rarity = {word: log2(len(documents) / count) for word, count in spread.items()}

    def answer(self, question: str) -> str:
        """Return the answer to a question, in words and sentences."""
        found = [self._documents[place] for place in self._find(question)]
        chance = random.Random(keccak256(question.encode()))
        return _joined((*tokens_of(OPENING), *self._say(found, chance)))

    def _find(self, question: str) -> list[int]:
        """Find the documents that share rare words with a question; those of titles count most."""
        asked = set(tokens_of(question))

        def score(place: int) -> float:
            document, title = self._documents[place], self._title_words[place]
            words = asked & (title | set(document.tokens))
            # Sorted, so that the sum is the same in each process.
            return sum(self._rarity[w] * (4 if w in title else 1) for w in sorted(words))

        return sorted(range(len(self._documents)), key=score, reverse=True)[:_FOUND]

    def _say(self, found: Sequence[Document], chance: random.Random) -> list[str]:
        near = _followers(document.tokens for document in found)
        said = list(found[0].tokens[:2])
        while len(said) < _MOST_TOKENS:
            if said[-1] == "." and len(said) >= _ENOUGH_TOKENS:
                break
            choice = self._choice(near, said)
            words = sorted(choice)
            said += chance.choices(words, [choice[word] for word in words])
        return said

    def _choice(self, near: _Follow, said: Sequence[str]) -> Counter[str]:
        """What may come next. Back off to one word, and to a new sentence, where nothing does."""
        longest = () if said[-1] == "." else (tuple(said[-2:]),)
        for context in (*longest, tuple(said[-1:]), (".",)):
            counts = Counter(self._everywhere.get(context, {}))
            for word, count in near.get(context, {}).items():
                counts[word] += _FOUND_WEIGHT * count
            if counts:
                return counts
        raise AssertionError("each document ends with a full stop and begins with a word")


def _followers(texts: Iterable[Sequence[str]]) -> _Follow:
    """Count what follows each two words and each word; a document begins like a sentence."""
    follow: _Follow = defaultdict(Counter)
    for text in texts:
        tokens = (".", *text)
        for at in range(1, len(tokens)):
            follow[tokens[at - 1 : at]][tokens[at]] += 1
            if at > 1:
                follow[tokens[at - 2 : at]][tokens[at]] += 1
    return dict(follow)


def _joined(tokens: Iterable[str]) -> str:
    text, starts = "", True
    for token in tokens:
        if token in ".,:?":
            text += token
        else:
            text += (" " if text else "") + (token.capitalize() if starts else token)
        starts = token in ".:?"
    return text
