"""Stop words: English words that carry grammar rather than meaning, which attacks leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

StopWords = Literal["nltk-198", "nltk-179"]
"""Which list: the one that NLTK's corpus has now, or the one it had before."""

_OLD = """
a about above after again against ain all am an and any are aren aren't as at be because been before being below between both but by can couldn
couldn't d did didn didn't do does doesn doesn't doing don don't down during each few for from further had hadn hadn't has hasn hasn't have haven
haven't having he her here hers herself him himself his how i if in into is isn isn't it it's its itself just ll m ma me mightn mightn't more
most mustn mustn't my myself needn needn't no nor not now o of off on once only or other our ours ourselves out over own re s same shan shan't
she she's should should've shouldn shouldn't so some such t than that that'll the their theirs them themselves then there these they this those
through to too under until up ve very was wasn wasn't we were weren weren't what when where which while who whom why will with won won't wouldn
wouldn't y you you'd you'll you're you've your yours yourself yourselves
"""

_ADDED = """
he'd he'll he's i'd i'll i'm i've it'd it'll she'd she'll they'd they'll they're they've we'd we'll we're we've
"""

STOP_WORDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"nltk-198": frozenset(f"{_OLD} {_ADDED}".split()), "nltk-179": frozenset(_OLD.split())}
)
"""The English lists of NLTK's corpus `stopwords`, which goes back to Porter's for the Snowball stemmers.

They are kept here, so that an attack does the same whatever is installed, and needs no download.
"""
