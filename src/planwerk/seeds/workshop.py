"""The demo workshop as it stands: a joinery with its boards, activities, resources and people.

Bodies as the API takes them. Where one object names another it says so by that object's key in these tables; `demo` puts
the id in its place. Nothing here depends on the day.
"""

from typing import Any

Body = dict[str, Any]

DAY = 480  # minutes of a working day

ENTRY, BUSY, HELD, EXIT = "entry", "busy", "held", "exit"  # how far a card of the demo is

STATUSES: dict[str, list[Body]] = {
    "production": [
        {"name": "To do", "priority": 0, "entry": True, "color": "grey"},
        {"name": "In progress", "priority": 1, "color": "blue"},
        {"name": "On hold", "priority": 2, "color": "orange"},
        {"name": "Done", "priority": 3, "exit": True, "color": "green"},
    ],
    "installation": [
        {"name": "To arrange", "priority": 0, "color": "grey"},
        {"name": "Agreed with customer", "priority": 1, "entry": True, "color": "skyblue"},
        {"name": "On site", "priority": 2, "color": "blue"},
        {"name": "Handed over", "priority": 3, "exit": True, "color": "green"},
    ],
}

# board → the status of a planned card for each state
STATUS_OF = {
    "production": {ENTRY: "To do", BUSY: "In progress", HELD: "On hold", EXIT: "Done"},
    "installation": {ENTRY: "Agreed with customer", BUSY: "On site", HELD: "To arrange", EXIT: "Handed over"},
}

BOARDS: dict[str, Body] = {
    "production": {
        "name": "Production",
        "color": "navy",
        "labels": [
            {"name": "Rush", "color": "red", "priority": 0},
            {"name": "Oak", "color": "brown", "priority": 1},
            {"name": "Accoya", "color": "olive", "priority": 2},
            {"name": "Rework", "color": "orange", "priority": 3},
        ],
        "custom_fields": [
            {"name": "Paint colour", "type": "text", "scope": "collection", "priority": 0},
            {"name": "Drawing approved", "type": "checkbox", "scope": "collection", "priority": 1, "value": False},
        ],
    },
    "installation": {
        "name": "Installation",
        "color": "teal",
        "own_backlog": True,
        "dependency_behavior": "push",
        "labels": [
            {"name": "Crane needed", "color": "purple", "priority": 0},
            {"name": "Dry weather only", "color": "skyblue", "priority": 1},
        ],
        "custom_fields": [{"name": "Contact on site", "type": "phone", "scope": "collection", "priority": 0}],
    },
}

ACTIVITIES: dict[str, Body] = {
    "drawing": {"description": "Drawing and work preparation", "default_duration": 90, "day_max_duration": 240},
    "sawing": {"description": "Sawing to size", "resource_type": "machine", "default_duration": 45},
    "milling": {"description": "CNC milling", "resource_type": "machine", "default_duration": 60},
    "joining": {"description": "Joining and assembly", "default_duration": 180, "day_max_duration": DAY, "billable": True},
    "painting": {"description": "Sanding and painting", "resource_type": "cell", "default_duration": 120, "day_max_duration": 360},
    "glazing": {"description": "Glazing and fittings", "default_duration": 60, "billable": True},
    "transport": {"description": "Loading and transport", "default_duration": 90},
    "installing": {"description": "Installing on site", "default_duration": DAY, "day_max_duration": DAY, "billable": True},
}

TWO_SHIFTS = dict.fromkeys("12345", 16)

RESOURCES: dict[str, Body] = {
    "anneke": {"name": "Anneke de Wit", "workdays": {"5": 4}, "activities": ["drawing"], "color_hex": "#8d46e0"},
    "bram": {"name": "Bram Jansen", "activities": ["joining", "glazing"], "color_hex": "#2f6fde"},
    "fatma": {"name": "Fatma Yıldız", "workdays": {"3": 4}, "activities": ["joining", "glazing"], "color_hex": "#12a594"},
    "tomasz": {"name": "Tomasz Nowak", "activities": ["painting", "glazing"], "color_hex": "#e5702a"},
    "youssef": {"name": "Youssef Amrani", "activities": ["transport", "installing"], "color_hex": "#c2298a"},
    "saw": {"name": "Panel saw", "type": "machine", "activities": ["sawing"]},
    "mill": {"name": "CNC machining centre", "type": "machine", "activities": ["milling"]},
    "booth": {"name": "Spray booth", "type": "cell", "workdays": TWO_SHIFTS, "activities": ["painting"], "resources": ["tomasz"]},
}

# resource → the days, counted from today, on which it is away
DEVIATIONS: dict[str, tuple[str, str, int, int]] = {
    "fatma": ("leave", "Autumn break", 6, 9),
    "mill": ("maintenance", "Yearly service of the spindle", 12, 12),
}

GROUPS: dict[str, list[str]] = {
    "Joiners": ["bram", "fatma"],
    "Machines": ["saw", "mill", "booth"],
    "Installation team": ["youssef", "tomasz"],
}

# board → its stages in order: name, working days kept free before the next one, activities, resources with their percentage
STAGES: dict[str, list[tuple[str, int, list[str], dict[str, int]]]] = {
    "production": [
        ("Work preparation", 1, ["drawing"], {"anneke": 80}),
        ("Machining", 1, ["sawing", "milling"], {"saw": 100, "mill": 100}),
        ("Assembly", 1, ["joining"], {"bram": 100, "fatma": 100}),
        ("Paint shop", 2, ["painting"], {"booth": 100, "tomasz": 80}),
        ("Finishing", 0, ["glazing"], {"bram": 20, "fatma": 40}),
    ],
    "installation": [
        ("Transport", 1, ["transport"], {"youssef": 30}),
        ("On site", 0, ["installing"], {"youssef": 70, "tomasz": 20}),
    ],
}

USERS: list[Body] = [
    {"firstname": "Marieke", "lastname": "Houtman", "role": "admin"},
    {"firstname": "Pieter", "lastname": "Houtman", "role": "manager"},
    {"firstname": "Anneke", "infix": "de", "lastname": "Wit", "role": "organiser", "resource": "anneke"},
    {"firstname": "Bram", "lastname": "Jansen", "role": "member", "resource": "bram"},
    {"firstname": "Youssef", "lastname": "Amrani", "role": "member", "resource": "youssef"},
    {"firstname": "Lars", "lastname": "Eriksen", "role": "guest", "language": "en"},
]
