from windtunnel.reporting.wording import side, visible


def test_changed_words_are_marked_and_neighbours_share_a_mark():
    shown = side("", "a good film indeed", "a g00d f1lm indeed")
    assert shown.before == "a <mark>good</mark> <mark>film</mark> indeed"
    assert shown.after == "a <mark>g00d</mark> <mark>f1lm</mark> indeed"
    assert side("", "same", "same").after == "same"


def test_hostile_and_invisible_characters_show_as_what_they_are():
    shown = side("", "x", "<script>alert(1)</script>\u202e\u200b")
    assert "<script" not in shown.after
    assert "&lt;script&gt;" in shown.after
    assert 'U+202E</span><span class="unseen">U+200B' in shown.after
    assert visible("שלום עולם\n") == "שלום עולם "
