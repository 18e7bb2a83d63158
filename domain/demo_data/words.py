"""The words demo data are made of: names, firms, streets, terms. Invented combinations of common words.

Shape: tuples of words; what is frequent in life stands more than once or is given a weight by its maker. A firm's
pattern is filled with surname, second surname, town and legal form, in this order. Mail and web addresses end in
`.example`, a name that leads nowhere (RFC 2606).
"""

from __future__ import annotations

SURNAMES = (
    "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann",
    "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Schwarz", "Zimmermann",
    "Braun", "Krüger", "Hofmann", "Hartmann", "Lange", "Schmitt", "Werner", "Krause", "Meier", "Lehmann",
    "Köhler", "Huber", "Gruber", "Steiner", "Moser", "Mayer", "Pichler", "Berger", "Maier", "Eder", "Leitner",
    "Fuchs", "Reiter", "Schmid", "Winkler", "Schwaiger", "Auer", "Lechner", "Wimmer", "Egger", "Lang",
    "Baumgartner", "Haas", "Brunner", "Wallner", "Aigner", "Ebner", "Hofer", "Binder", "Stadler", "Böhm",
    "Maurer", "Schuster", "Hölzl", "Herrmann", "König", "Walter", "Mayr", "Kaiser", "Scholz", "Möller", "Weiß",
    "Jung", "Hahn", "Schubert", "Vogel", "Friedrich", "Keller", "Günther", "Frank", "Roth", "Beck", "Lorenz",
    "Albrecht", "Ludwig", "Winter", "Simon", "Kraus", "Schumacher", "Krämer", "Vogt", "Stein", "Jäger", "Otto",
    "Sommer", "Groß", "Seidel", "Heinrich", "Brandt", "Schreiber", "Graf", "Dietrich", "Ziegler", "Kuhn",
    "Kühn", "Pohl", "Engel", "Horn", "Busch", "Bergmann", "Thomas", "Voigt", "Sauer", "Arnold", "Wolff",
    "Pfeiffer", "Lindner", "Öztürk", "Yılmaz", "Kaya", "Demir", "Çelik", "Şahin", "Nowak", "Kowalski",
    "Wiśniewski", "Novák", "Dvořák", "Horváth", "Szabó", "Petrović", "Jovanović", "Marković", "Popović", "Ilić",
    "Papadopoulos", "Rossi", "Ferrari", "Nguyen", "Ivanova", "Schneeberger", "Überreiter", "Ötzlinger", "Süß",
    "Großkopf", "Weißenböck", "Käßbohrer", "Strauß", "Grießhaber", "Füßl", "Jürgens", "Büttner", "Bäcker",
    "Götz", "Hübner", "Fröhlich", "Grünwald", "Förster",
)  # fmt: skip

FEMALE_NAMES = (
    "Anna", "Maria", "Sabine", "Petra", "Monika", "Andrea", "Claudia", "Susanne", "Birgit", "Julia",
    "Katharina", "Stefanie", "Christine", "Barbara", "Karin", "Martina", "Sandra", "Nicole", "Gabriele",
    "Heike", "Eva", "Elisabeth", "Brigitte", "Renate", "Ursula", "Angelika", "Silvia", "Lena", "Laura",
    "Sophie", "Lea", "Johanna", "Magdalena", "Theresa", "Jasmin", "Melanie", "Franziska", "Kerstin", "Cornelia",
    "Anja", "Tanja", "Daniela", "Ingrid", "Käthe", "Jördis", "Ayşe", "Elif", "Zoë", "Hannelore", "Rosemarie",
    "Marlene", "Verena", "Carina", "Bettina", "Ulrike", "Simone", "Doris", "Helga", "Emma", "Mia", "Leonie",
    "Nina", "Vanessa", "Margarethe",
)  # fmt: skip

MALE_NAMES = (
    "Thomas", "Michael", "Andreas", "Peter", "Stefan", "Christian", "Wolfgang", "Martin", "Markus", "Josef",
    "Franz", "Klaus", "Jürgen", "Bernd", "Frank", "Uwe", "Jörg", "Matthias", "Alexander", "Daniel", "Florian",
    "Sebastian", "Tobias", "Lukas", "Maximilian", "Felix", "Jakob", "Paul", "Jan", "Philipp", "David", "Simon",
    "Georg", "Johann", "Karl", "Heinz", "Dieter", "Manfred", "Gerhard", "Günter", "Werner", "Helmut", "Hermann",
    "Rainer", "Ralf", "Holger", "Torsten", "Björn", "Sören", "Jens", "Mehmet", "Mustafa", "Ali", "Emre",
    "Piotr", "Marek", "Tomáš", "Zoltán", "Dragan", "Goran", "Ioannis", "Giovanni", "Ludwig", "Götz", "Rüdiger",
    "Hans-Jürgen",
)  # fmt: skip

#: (pattern of the name, its part in mail addresses, what the firm does)
FIRMS = (
    ("{0} Maschinenbau {3}", "{0}-maschinenbau", "Maschinenbau"),
    ("{0} Metallbau {3}", "{0}-metallbau", "Metallverarbeitung"),
    ("{0} & Söhne {3}", "{0}-soehne", "Handwerk"),
    ("{0} & {1} {3}", "{0}-{1}", "Dienstleistung"),
    ("Autohaus {0} {3}", "autohaus-{0}", "Kfz-Handel"),
    ("Bäckerei {0}", "baeckerei-{0}", "Lebensmittel"),
    ("Metzgerei {0}", "metzgerei-{0}", "Lebensmittel"),
    ("Konditorei {0} {3}", "konditorei-{0}", "Lebensmittel"),
    ("{0} Elektrotechnik {3}", "{0}-elektro", "Elektrotechnik"),
    ("Elektro {0} {3}", "elektro-{0}", "Elektrotechnik"),
    ("{0} Sanitär- und Heizungsbau {3}", "{0}-heizung", "Haustechnik"),
    ("Tischlerei {0}", "tischlerei-{0}", "Holzverarbeitung"),
    ("Schreinerei {0} & {1} {3}", "schreinerei-{0}", "Holzverarbeitung"),
    ("Zimmerei {0} {3}", "zimmerei-{0}", "Holzverarbeitung"),
    ("{0} Bau {3}", "{0}-bau", "Bau"),
    ("Bauunternehmung {0} {3}", "bau-{0}", "Bau"),
    ("{0} Hoch- und Tiefbau {3}", "{0}-tiefbau", "Bau"),
    ("Dachdeckerei {0} {3}", "dach-{0}", "Bau"),
    ("Malerbetrieb {0}", "maler-{0}", "Handwerk"),
    ("{0} Logistik {3}", "{0}-logistik", "Transport"),
    ("Spedition {0} {3}", "spedition-{0}", "Transport"),
    ("{0} Transporte {3}", "{0}-transporte", "Transport"),
    ("{0} IT-Systemhaus {3}", "{0}-it", "Informationstechnik"),
    ("{0} Software {3}", "{0}-software", "Informationstechnik"),
    ("{0} Bürotechnik {3}", "{0}-buero", "Handel"),
    ("{0} Großhandel {3}", "{0}-grosshandel", "Handel"),
    ("{0} Landtechnik {3}", "{0}-landtechnik", "Handel"),
    ("{0} Baustoffe {3}", "{0}-baustoffe", "Handel"),
    ("Möbelhaus {0} {3}", "moebel-{0}", "Handel"),
    ("Gartencenter {0} {3}", "garten-{0}", "Handel"),
    ("Gärtnerei {0}", "gaertnerei-{0}", "Gartenbau"),
    ("Weingut {0}", "weingut-{0}", "Landwirtschaft"),
    ("Hofgut {0}", "hofgut-{0}", "Landwirtschaft"),
    ("Brauerei {0} {3}", "brauerei-{0}", "Lebensmittel"),
    ("Hotel {0} {3}", "hotel-{0}", "Gastgewerbe"),
    ("Gasthof zum Löwen, {0}", "gasthof-{0}", "Gastgewerbe"),
    ("Restaurant {0} {3}", "restaurant-{0}", "Gastgewerbe"),
    ("Apotheke am Markt, {0} e. K.", "apotheke-{0}", "Gesundheit"),
    ("Zahnarztpraxis Dr. {0}", "praxis-{0}", "Gesundheit"),
    ("Praxisgemeinschaft Dr. {0} und Dr. {1}", "praxis-{0}-{1}", "Gesundheit"),
    ("Tierarztpraxis Dr. {0}", "tierarzt-{0}", "Gesundheit"),
    ("Rechtsanwälte {0}, {1} & Partner", "kanzlei-{0}", "Beratung"),
    ("Steuerkanzlei {0}", "steuer-{0}", "Beratung"),
    ("Ingenieurbüro {0} {3}", "ib-{0}", "Planung"),
    ("Architekturbüro {0} + {1}", "architekten-{0}", "Planung"),
    ("{0} Unternehmensberatung {3}", "{0}-beratung", "Beratung"),
    ("Versicherungsmakler {0} {3}", "makler-{0}", "Versicherung"),
    ("Immobilien {0} {3}", "immobilien-{0}", "Immobilien"),
    ("{0} Kunststofftechnik {3}", "{0}-kunststoff", "Kunststoff"),
    ("{0} Werkzeugbau {3}", "{0}-werkzeugbau", "Metallverarbeitung"),
    ("{0} Medizintechnik {3}", "{0}-medizintechnik", "Medizintechnik"),
    ("{0} Umwelttechnik {3}", "{0}-umwelt", "Umwelttechnik"),
    ("Druckerei {0} {3}", "druckerei-{0}", "Druck"),
    ("Friseur {0}", "friseur-{0}", "Dienstleistung"),
    ("Gebäudereinigung {0} {3}", "reinigung-{0}", "Dienstleistung"),
    ("Fahrschule {0}", "fahrschule-{0}", "Dienstleistung"),
    ("Stadtwerke {2} {3}", "stadtwerke-{0}", "Versorgung"),
    ("Wohnungsbaugenossenschaft {2} eG", "wbg-{0}", "Immobilien"),
    ("Freiwillige Feuerwehr {2}", "feuerwehr-{0}", "Öffentlich"),
    ("Turn- und Sportverein {2} e. V.", "tsv-{0}", "Verein"),
    ("Gesellschaft für angewandte Umwelt- und Verfahrenstechnik {2} {3}", "gauv-{0}", "Umwelttechnik"),
    ("Landwirtschaftliche Ein- und Verkaufsgenossenschaft {2} eG", "levg-{0}", "Handel"),
    ("Vereinigte Sägewerke {0} & {1} {3}", "saegewerke-{0}", "Holzverarbeitung"),
    ("Ev.-luth. Kirchengemeinde {2}", "kirche-{0}", "Öffentlich"),
)  # fmt: skip

#: Country -> legal forms, the frequent ones more than once.
LEGAL_FORMS = {
    "DE": (
        "GmbH", "GmbH", "GmbH", "GmbH", "GmbH", "GmbH & Co. KG", "GmbH & Co. KG", "KG", "OHG", "e. K.", "e. K.", "GbR",
        "UG (haftungsbeschränkt)", "AG", "GmbH", "GmbH",
    ),
    "AT": ("GmbH", "GmbH", "GmbH", "GesmbH", "GmbH", "GmbH & Co KG", "OG", "KG", "e.U.", "e.U.", "AG", "GmbH"),
    "CH": ("AG", "GmbH", "AG", "GmbH", "Sàrl", "AG"),
    "LU": ("S.à r.l.", "S.A.", "S.à r.l."),
}  # fmt: skip

STREETS = (
    "Hauptstraße", "Bahnhofstraße", "Dorfstraße", "Gartenstraße", "Schulstraße", "Bergstraße", "Lindenstraße",
    "Birkenweg", "Kirchstraße", "Waldstraße", "Ringstraße", "Schillerstraße", "Goethestraße", "Mozartstraße",
    "Industriestraße", "Gewerbepark", "Mühlenweg", "Mühlgasse", "Marktplatz", "Rosenweg", "Ahornweg",
    "Buchenweg", "Eichenweg", "Tannenweg", "Amselweg", "Blumenstraße", "Friedhofstraße", "Poststraße",
    "Wiesenweg", "Feldstraße", "Parkstraße", "Talstraße", "Brunnenstraße", "Wiener Straße", "Grazer Straße",
    "Linzer Straße", "Salzburger Straße", "Berliner Straße", "Münchner Straße", "Hamburger Straße",
    "Dresdner Straße", "Leipziger Straße", "Frankfurter Straße", "Kölner Straße", "Römerstraße", "Steinweg",
    "Uferstraße", "Am Bahnhof", "Am Markt", "Am Sportplatz", "Am Hang", "An der Mühle", "Auf der Höhe",
    "Im Gewerbegebiet", "Im Winkel", "In der Au", "Zum Steinbruch", "Alte Landstraße", "Neue Straße",
    "Lange Gasse", "Obere Hauptstraße", "Untere Marktstraße", "Kaiser-Wilhelm-Straße", "Dr.-Karl-Renner-Platz",
    "Carl-Benz-Straße", "Robert-Bosch-Straße", "Rudolf-Diesel-Straße", "Max-Planck-Straße", "Ernst-Abbe-Straße",
    "Johann-Strauß-Gasse",
)  # fmt: skip

DEPARTMENTS = (
    "Einkauf", "Zentrale", "Buchhaltung", "Niederlassung Süd", "Niederlassung Nord", "Werk 2", "Filiale", "Technik",
    "Verwaltung", "Lager",
)  # fmt: skip

REMARKS = (
    "Anlieferung nur bis 12 Uhr.",
    "Rechnungen bitte nur per E-Mail.",
    "Ruft vor jeder Bestellung an.",
    "Neuer Einkaufsleiter seit Frühjahr.",
    "Zahlt pünktlich; auf Skonto achten.",
    "Besuch im Herbst vereinbart.",
    "Umzug geplant, Anschrift im Auge behalten.",
    "Wünscht Lieferscheine ohne Preise.",
    "Tor 3, Pförtner meldet an.",
    "Betriebsferien im August.",
)

CONTACT_FUNCTIONS = (
    "Geschäftsführung", "Einkauf", "Buchhaltung", "Vertrieb", "Technik", "Sekretariat", "Lager", "Personal",
)  # fmt: skip

CATEGORIES = (
    "Handel", "Handwerk", "Industrie", "Gastgewerbe", "Öffentliche Hand", "Gesundheit", "Verein", "Privat",
)  # fmt: skip

EMPLOYEES = (
    "Sabine Weber", "Thomas Huber", "Petra Köhler", "Markus Steiner", "Julia Brandt", "Andreas Eder", "Claudia Schäfer",
    "Stefan Pichler", "Monika Jäger", "Florian Gruber", "Heike Lorenz", "Matthias Auer",
)  # fmt: skip

TERRITORIES = (
    ("DE-N", "Deutschland Nord"), ("DE-O", "Deutschland Ost"), ("DE-W", "Deutschland West"),
    ("DE-S", "Deutschland Süd"),
    ("AT-O", "Österreich Ost"), ("AT-W", "Österreich West"), ("CH", "Schweiz"), ("LU", "Luxemburg"),
)  # fmt: skip

#: Number, name, days until due.
PAYMENT_TERMS = (
    (1, "sofort ohne Abzug", 0),
    (2, "14 Tage netto", 14),
    (3, "30 Tage netto", 30),
    (4, "14 Tage 2 % Skonto, 30 Tage netto", 30),
    (5, "Vorkasse", 0),
    (6, "60 Tage netto", 60),
)

SHIPPING_METHODS = ((1, "Paketdienst"), (2, "Spedition"), (3, "Selbstabholung"), (4, "Eigener Fuhrpark"))

CUSTOMER_KINDS = (("A", "A-Kunde"), ("B", "B-Kunde"), ("C", "C-Kunde"), ("W", "Wiederverkäufer"))

#: Number, designation, list price in euro.
ARTICLES = (
    ("10-1001", "Sechskantschraube M8 x 40, verzinkt", "0.18"),
    ("10-1002", "Sechskantmutter M8", "0.06"),
    ("10-1044", "Unterlegscheibe 8,4", "0.03"),
    ("20-2010", "Kabelkanal 40 x 60, 2 m", "9.90"),
    ("20-2033", "Leitungsschutzschalter B16", "4.75"),
    ("20-2081", "LED-Röhre 1,2 m, 18 W", "12.40"),
    ("30-3001", "Kopierpapier A4, 500 Blatt", "5.49"),
    ("30-3012", "Ordner A4, breit", "2.95"),
    ("30-3100", "Etiketten 63,5 x 38,1 mm, 100 Bogen", "19.90"),
    ("40-4001", "Arbeitshandschuh Gr. 9", "3.20"),
    ("40-4020", "Schutzbrille klar", "6.80"),
    ("40-4300", "Gehörschutz", "14.50"),
    ("50-5005", "Akku-Bohrschrauber 18 V", "189.00"),
    ("50-5011", "Winkelschleifer 125 mm", "94.50"),
    ("50-5040", "Werkzeugkoffer, 80-teilig", "249.00"),
    ("60-6001", "Reinigungskonzentrat 10 l", "34.90"),
    ("60-6010", "Papierhandtücher, 20 Pakete", "42.00"),
    ("70-7001", "Europalette, gebraucht", "11.50"),
    ("70-7020", "Stretchfolie 500 mm", "8.25"),
    ("90-9001", "Wartung, je Stunde", "92.00"),
)
