"""Texts that give every perturbation something to do, and texts that nobody writes."""

from hypothesis import strategies as st

RICH = (
    "I do not think that Anna Kowalski's 1994 theater film is a great piece of color, but it is honest: she can't organize 12 scenes for the "
    "honorable neighbors, and they're sure that you will hear their favourite tale in the centre of Paris! We are sorry, Mr. Okafor isn't here; "
    "it's Maria who knew the right way through 90 minutes of grey humour, and I won't weigh what they have seen. The rest is a labelled catalogue."
)
"""Places for all perturbations, several for each."""

PIECES = (
    *RICH.split(),
    *("don’t", "do", "is", "not", "never", "n't", "NO", "hardly,", "without", "(nothing)", "3.5", "1,000", "007", "21st", "...", "?!", "…", "—", ","),
    *(
        "É́té",
        "e\u0301e\u0301",
        "naïve",
        "ŉ",
        "ß",
        "İstanbul",
        "ı",
        "Ǆ",
        "𝐀b",
        "日本語",
        "مرحبا",
        "👩‍👩‍👧",
        "\u200b",
        "\ud800",
        "\ud83d\ude00",
        "\x00",
    ),
    *("n.'t", "n'.t", "x-.no", "A", "Don't", "O'Brien", "THEY'RE", "CENTRE", "Center", "vv", "rn"),
)

GAPS = (" ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u2003", "")

TEXTS = st.one_of(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GAPS)), max_size=12).map(lambda pairs: "".join(map("".join, pairs))),
    st.text(st.characters(), max_size=40),
    st.text(st.sampled_from("aAeEnNtToO01.,!'’ -\u0301\ud800"), max_size=40),
)
"""Lone surrogates, combining marks and white space of all kinds included."""
