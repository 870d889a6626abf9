"""The colours that boards, labels and statuses have: names, never codes."""

COLORS = (
    "blue",
    "brown",
    "bubblegum",
    "charcoal",
    "green",
    "grey",
    "indigo",
    "lavender",
    "navy",
    "olive",
    "orange",
    "pink",
    "purple",
    "raspberry",
    "red",
    "ruby",
    "skyblue",
    "teal",
    "transparent",
    "yellow",
)
