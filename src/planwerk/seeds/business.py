"""The demo workshop's business: customers, addresses, articles and the order book.

Orders are told as days from today, so that the demo is about the present whenever it is loaded.
"""

from dataclasses import dataclass

from planwerk.seeds.workshop import DAY, Body

RELATIONS: dict[str, Body] = {
    "mulder": {"name": "Bouwbedrijf Mulder", "type": "customer", "email": "inkoop@mulder.example", "phone": "+31 30 555 0101"},
    "delftland": {"name": "Woningstichting Delftland", "type": "customer", "email": "techniek@delftland.example"},
    "aerts": {"name": "Aerts & Zonen", "type": "customer", "email": "info@aerts.example", "phone": "+32 3 555 01 12"},
    "kessler": {"name": "Kessler Innenausbau", "type": "customer", "email": "einkauf@kessler.example"},
    "lindqvist": {"name": "Café Lindqvist", "type": "customer", "note": "Deliveries before eleven."},
    "vermeulen": {"name": "Architectenbureau Vermeulen", "type": "customer", "website": "https://vermeulen.example"},
    "gemeente": {"name": "Gemeente Woudrichem", "type": "customer", "note": "Invoices carry an order number."},
    "haan": {"name": "Familie De Haan", "type": "customer", "phone": "+31 6 5550 1234"},
    "houtimport": {"name": "Houtimport Zaandam", "type": "supplier", "email": "verkoop@houtimport.example"},
    "glas": {"name": "Glas- en Beslaghandel Prins", "type": "supplier"},
}

ADDRESSES: dict[str, Body] = {
    "mulder": {"street1": "Industrieweg 14", "postal_code": "3542 AD", "city": "Utrecht", "country": "NL"},
    "delftland": {"street1": "Papsouwselaan 2", "postal_code": "2624 AK", "city": "Delft", "country": "NL"},
    "aerts": {"street1": "Noorderlaan 101", "postal_code": "2030", "city": "Antwerpen", "country": "BE"},
    "kessler": {"street1": "Hafenstraße 8", "postal_code": "46446", "city": "Emmerich", "country": "DE"},
    "lindqvist": {"street1": "Oudegracht 61", "postal_code": "3511 AD", "city": "Utrecht", "country": "NL"},
    "gemeente": {"street1": "Raadhuisplein 1", "postal_code": "4285 CT", "city": "Woudrichem", "country": "NL"},
    "haan": {"street1": "Dorpsstraat 33", "postal_code": "4153 RB", "city": "Beesd", "country": "NL"},
}

PROJECTS: dict[str, Body] = {
    "kade": {"code": "P-KADE", "name": "Nieuwe Kade, 24 apartments", "description": "Frames and doors, delivered block by block"},
    "hall": {"code": "P-HALL", "name": "Town hall renovation", "description": "Council chamber and entrance"},
}

WAREHOUSES: dict[str, Body] = {
    "timber": {"code": "TIM", "name": "Timber store"},
    "finished": {"code": "FIN", "name": "Finished goods"},
}

# article → (description, minutes of one piece for each activity that makes it)
ARTICLES: dict[str, tuple[str, dict[str, int]]] = {
    "front_door": ("Oak front door", {"drawing": 30, "sawing": 20, "milling": 45, "joining": 150, "painting": 90, "glazing": 40}),
    "inner_door": ("Inner door, painted", {"sawing": 10, "milling": 20, "joining": 45, "painting": 40}),
    "frame": ("Window frame, Accoya", {"drawing": 15, "sawing": 15, "milling": 30, "joining": 60, "painting": 60, "glazing": 45}),
    "sliding": ("Sliding door set", {"drawing": 60, "sawing": 30, "milling": 60, "joining": 240, "painting": 150, "glazing": 120}),
    "stairs": ("Quarter-turn staircase, beech", {"drawing": 120, "sawing": 60, "milling": 180, "joining": 360, "painting": 240}),
    "kitchen": ("Kitchen cabinets, made to measure", {"drawing": 180, "sawing": 150, "milling": 180, "joining": 600, "painting": 420}),
    "counter": ("Bar counter, oak", {"drawing": 120, "sawing": 60, "milling": 120, "joining": 480, "painting": 240}),
    "desk": ("Reception desk", {"drawing": 150, "sawing": 60, "milling": 120, "joining": 420, "painting": 180}),
    "wardrobe": ("Fitted wardrobe", {"drawing": 60, "sawing": 60, "milling": 45, "joining": 240, "painting": 120}),
    "bench": ("Park bench slats, set", {"sawing": 15, "milling": 20, "painting": 30}),
    "fit_frames": ("Installing frames on site", {"transport": 20, "installing": 60}),
    "fit_interior": ("Installing an interior on site", {"transport": 120, "installing": 2 * DAY}),
}


@dataclass(frozen=True)
class Line:
    """One order: so many pieces of an article, due so many working days from today.

    `start` is the working day from today on which its first card begins; None leaves its collection in the backlog.
    """

    relation: str
    article: str
    pieces: int
    due: int
    start: int | None = None
    labels: tuple[str, ...] = ()
    project: str | None = None


ORDERS = (
    Line("mulder", "frame", 6, 1, -9, ("Accoya",), "kade"),
    Line("haan", "front_door", 1, 2, -5, ("Oak",)),
    Line("lindqvist", "counter", 1, 1, -3, ("Rush", "Rework")),
    Line("delftland", "inner_door", 12, 5, -5),
    Line("kessler", "wardrobe", 3, 6, -8),
    Line("mulder", "frame", 8, 6, -4, ("Accoya",), "kade"),
    Line("aerts", "sliding", 2, 7, -5),
    Line("gemeente", "desk", 1, 8, -2, ("Oak",), "hall"),
    Line("haan", "stairs", 1, 9, 1),
    Line("vermeulen", "front_door", 2, 9, 0, ("Oak",)),
    Line("delftland", "inner_door", 18, 11, 0),
    Line("mulder", "frame", 10, 13, 3, ("Accoya",), "kade"),
    Line("kessler", "kitchen", 1, 14, 2),
    Line("gemeente", "inner_door", 9, 14, 3, ("Rush",), "hall"),
    Line("aerts", "sliding", 1, 15, 4),
    Line("delftland", "front_door", 4, 17, 5, ("Oak",)),
    Line("mulder", "fit_frames", 6, 3, 2, (), "kade"),
    Line("haan", "fit_interior", 1, 12, 10),
    Line("lindqvist", "fit_interior", 1, 8, 5, ("Crane needed",)),
    Line("gemeente", "fit_interior", 1, 16, 13, (), "hall"),
    Line("mulder", "fit_frames", 8, 10, 8, ("Dry weather only",), "kade"),
    Line("vermeulen", "stairs", 1, 22),
    Line("kessler", "wardrobe", 6, 24),
    Line("mulder", "frame", 12, 25, None, ("Accoya",), "kade"),
    Line("aerts", "kitchen", 2, 28),
    Line("haan", "wardrobe", 1, 30),
    Line("gemeente", "bench", 40, 32),
    Line("delftland", "inner_door", 24, 33),
    Line("lindqvist", "desk", 1, 36, None, ("Rush",)),
    Line("delftland", "fit_frames", 12, 35, None, ("Dry weather only",)),
)
