"""What shops call their columns, in the languages that most exports are in: data alone.

`exact` are whole names, the likeliest first; `tokens` are words of a name; `stems` are parts of compound words; `never`
are words by which a column is about something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Words:
    """Names of one kind of column, without case, accents, and what stands between words."""

    exact: tuple[str, ...]
    tokens: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    never: frozenset[str] = frozenset()


def _words(exact: str, tokens: str = "", stems: str = "", never: str = "") -> Words:
    return Words(tuple(exact.split()), frozenset(tokens.split()), tuple(stems.split()), frozenset(never.split()))


_NOT_THE_ITEM: Final = (
    "category categories kategorie categorie categoria brand marke marque marca image images photo bild shop "
    "store user supplier tax parent group set vendor customer seller merchant media variant option price preis "
    "meta attribute variation"
)
_TO_BE_HAD: Final = "available verfugbar lieferbar disponible disponibile disponivel leverbaar dostepny"
WORDS: Final[Mapping[str, Words]] = {
    "item_id": _words(
        "itemid productid sku id articleid articlenumber articleno artno artikelnummer artikelnr artnr artikelid "
        "artnum itemnumber itemno itemcode productcode productnumber reference referenz ref refproduit "
        "codeproduit codearticle codigo codigoproducto codice codicearticolo kod kodproduktu indeks symbol "
        "varenummer varenr varunummer artikelkod tuotenumero tuotekoodi cikkszam urunkodu stokkodu artikul "
        "артикул кодтовара код 品番 商品番号 商品コード 商品编号 상품코드 asin handle "
        "uid uuid guid code nummer number numero no key ean ean13 gtin upc barcode mpn",
        "sku id asin handle артикул reference artikelnummer artikelnr code codigo codice kod",
        "artikelnum artikelnr productid itemid varenummer",
        _NOT_THE_ITEM,
    ),
    "photos": _words(
        "image images imageurl imageurls imagelink imagesrc imgurl img photo photos photourl photourls picture "
        "pictures pictureurl mainimage bild bilder bildurl bildlink hauptbild produktbild foto fotos fotourl "
        "imagen imagenes imagenurl immagine immagini urlimage urlimmagine lienimage afbeelding afbeeldingen "
        "zdjecie zdjecia obraz obrazek obrazky kep kuva billede billeder bilde resim gorsel фото изображение "
        "изображения картинка 画像 画像url 图片 이미지",
        "image images img photo photos picture pictures pic pics bild bilder foto fotos imagen imagenes immagine "
        "immagini afbeelding zdjecie zdjecia obraz obrazek kuva billede bilde resim gorsel media gallery galerie "
        "galeria фото изображение картинка 画像",
        "image photo bild foto immagin imagen picture",
        "alt caption title titel text width height size groesse count position order id type typ logo",
    ),
    "category": _words(
        "category categories categorypath categoryname categorynames productcategory productcategories breadcrumb "
        "breadcrumbs kategorie kategorien kategoriepfad warengruppe warengruppen produktgruppe categorie "
        "categoriepath rubrique rayon famille familleproduit categoria categorias categoriaprodotto familia rubro "
        "sezione reparto afdeling groep kategori kategorier kategoria kategorie rubryka kategooria категория "
        "категории раздел カテゴリ カテゴリー 分类 카테고리 producttype feedproducttype articletype "
        "department dept division class subclass taxonomy section collection "
        "tree path type typ tipo gruppe group family rubrik varugrupp huvudgrupp varegruppe hovedgruppe artikelgruppe "
        "hauptgruppe hauptwarengruppe",
        "category categories cat cats breadcrumb breadcrumbs kategorie kategorien kategori kategoria categorie "
        "categoria categorias rubrique rayon famille department dept "
        "class subclass taxonomy subcategory subkategorie unterkategorie "
        "mastercategory hauptkategorie категория カテゴリ "
        "l lvl level levels tier hierarchy hierarchie niveau ebene stufe livello nivel",
        "kategor categor warengrup breadcrumb taxonom subcateg",
        "id ids code url link image bild image meta description beschreibung slug position count age",
    ),
    "title": _words(
        "title name productname producttitle itemname titel produktname produkttitel artikelname bezeichnung "
        "artikelbezeichnung bezeichnung1 kurzbezeichnung kurztext materialkurztext artikeltext nom nomproduit titre "
        "libelle designation nombre "
        "nombreproducto titulo denominacion nome nomeprodotto titolo denominazione naam productnaam titel navn "
        "produktnavn namn benamning nimi nazwa nazwaproduktu nazev nazov megnevezes urunadi ad denumire название "
        "наименование имя 商品名 商品名称 상품명 label shortdescription heading "
        "itemdescription itemdesc description descripcion descrizione descricao beschreibung "
        "omschrijving desc",
        "title name desc titel bezeichnung nom nombre nome nazwa naam navn namn название наименование libelle",
        "bezeichn productname produktname",
        "meta seo alt file brand marke category kategorie vendor shop image bild color colour farbe url slug "
        "group parent manufacturer hersteller user first last option attribute variant",
    ),
    "price": _words(
        "price preis verkaufspreis vk vkpreis bruttopreis preisbrutto prix prixttc prixvente precio precioventa "
        "pvp prezzo prezzovendita preco prijs verkoopprijs pris cena cenabrutto ar hinta fiyat pret цена 価格 販売価格 "
        "价格 가격 saleprice sellingprice retailprice regularprice currentprice priceinclvat amount",
        "price preis prix precio prezzo preco prijs pris cena hinta fiyat цена 価格",
        "price preis",
        "old alt cost purchase ek einkauf einkaufspreis list compare shipping versand per unit grundpreis base "
        "tax currency rule group class tier range was uvp rrp msrp streichpreis barre valid from to",
    ),
    "sale": _words(
        "saleprice specialprice angebotspreis aktionspreis sonderpreis prixpromo prixsolde preciooferta "
        "preciorebajado prezzoscontato discountprice promoprice",
        "sale special angebot aktion promo solde oferta scontato",
        "",
        "date from to start end starts ends id",
    ),
    "list_price": _words(
        "rrp msrp uvp pvpr listprice listenpreis recommendedretailprice suggestedretailprice recommendedprice "
        "suggestedprice prixconseille prixpublic prezzolistino preciorecomendado adviesprijs cenakatalogowa "
        "catalogueprice catalogprice",
        "rrp msrp uvp pvpr adviesprijs",
        "listenpreis",
        "date from to start end starts ends id cost purchase ek currency class tier range",
    ),
    "group_id": _words(
        "groupid itemgroupid parentid parentsku parent parentproductid productgroupid modelid modelnumber modelno "
        "model stylecode styleid style styleno mastersku masterid master vaterartikel mutterartikel hauptartikel "
        "referenceparent skuparent idparent codigopadre modele modello modelo productid product handle handleid",
        "parent master group",
        "",
        "category kategorie customer age price size image title name",
    ),
    "updated_at": _words(
        "updatedat updated lastupdated lastupdate lastmodified modifiedat modified modificationdate dateupdated "
        "dateupd datemodified changedat changed lastchange geandertam geaendertam geandert geaendert "
        "anderungsdatum letzteanderung datemodification datemaj majdate miseajour fechamodificacion "
        "fechaactualizacion dataaggiornamento ultimamodifica datamodyfikacji timestamp ts modifiedon updatedon",
        "updated modified changed geandert geaendert",
    ),
    "currency": _words(
        "currency currencycode curr ccy wahrung waehrung devise moneda valuta moeda waluta mena penznem valuutta "
        "валюта 通貨",
        "currency wahrung waehrung devise moneda valuta waluta",
    ),
    "availability": _words(
        "availability instock stockstatus availabilitystatus stock stockquantity stockqty qty quantity inventory "
        "inventoryquantity bestand lagerbestand verfugbarkeit verfuegbarkeit lager disponibilite disponible "
        "stocks disponibilidad existencias disponibilita giacenza voorraad lagersaldo lagerstatus stan dostepnosc "
        "dostupnost sklad наличие остаток 在庫 available isavailable verfugbar lieferbar",
        f"availability stock bestand verfugbarkeit disponibilite disponibilidad disponibilita {_TO_BE_HAD}",
        "",
        "date min max threshold manage backorders location warehouse from since until sizes colors colours countries",
    ),
    "deleted": _words(
        "deleted isdeleted removed isremoved deletedat removedat geloscht geloescht supprime eliminado eliminato "
        "deleteflag deletedflag softdeleted todelete loschkennzeichen loeschkennzeichen"
    ),
}
"""By the key of `catalogue.columns`; `sale` is a price that counts before the usual one, `list_price` where none is."""

FIRST: Final = _words("", "main haupt hauptbild primary base principal principale first cover default").tokens
"""Words by which a photo is the first one."""
LESSER: Final = _words(
    "",
    "thumb thumbs thumbnail thumbnails icon swatch mini small preview logo badge banner brand energy label flag chart "
    "vignette miniature miniatura miniatuur vorschau vorschaubild",
).tokens
"""Words by which a picture is none of the product, or a smaller one of another column's."""
SIZES: Final = (
    _words("", "small klein petit pequena").tokens,
    _words("", "medium mid mittel normal").tokens,
    _words("", "large big gross grand grande").tokens,
    _words("", "zoom full original hd xl xxl hires").tokens,
)
"""Words by which columns name one picture in several sizes, from the smallest to the largest."""
GROSS: Final = _words(
    "",
    "gross brutto bruto brut ttc incl inkl inc including included inclusive incluido incluida incluidos incluso "
    "inclusa compris comprise inclus lordo ivato ivata inclvat incltax inclbtw inklmwst",
).tokens
"""Words of a price with tax."""
NET: Final = _words(
    "",
    "net netto neto nett ht excl exkl exc excluding excluded exclusive excluido excluida escluso esclusa exclus zzgl "
    "hors imponibile untaxed exclvat excltax exclbtw exklmwst",
).tokens
"""Words of a price without tax."""
TAX: Final = _words("", "tax taxes vat mwst mw ust st steuer iva tva btw moms mva dph pdv gst alv kdv").tokens
"""MwSt is two words where capitals begin them."""
WITH: Final = _words("", "with mit con avec met med s z com").tokens
"""Words that, beside one of TAX, are as one of GROSS."""
WITHOUT: Final = _words("", "without ex ohne sin senza sans zonder uden utan bez sem").tokens
"""Words that, beside one of TAX, are as one of NET."""
TRADE: Final = _words(
    "",
    "wholesale dealer reseller distributor trade b2b supplier handler haendler handlerpreis achat gros acquisto compra "
    "inkoop costo coste cout koszt zakup zakupu nakup cogs landed buying",
).tokens
"""Words of prices that the shop pays, or other shops do."""
MINOR: Final = _words(
    "",
    "cent cents centime centimes centimo centimos centavo centavos centesimi pence penny pennies minor grosz grosze "
    "groszy kopeck kopecks kopek kopeks kopeken копеики копеек копеиках rappen ore oere haler haleru halier filler "
    "kurus paise paisa satang subunit subunits micros",
).tokens
"""Words of a price that is counted in coins, a hundredth of its currency's unit in most."""
BEFORE: Final = _words(
    "",
    "original originalprice before former previous recommended suggested strike crossed msrp rrp uvp initial avant "
    "ursprung vorher",
).tokens
"""Words of prices that a lower one stands beside."""
SIGNS_OF_GONE: Final = _words(
    "",
    "deleted removed archived discontinued disabled inactive hidden unpublished retired obsolete trashed geloscht "
    "geloescht archiviert inaktiv ausgelaufen versteckt gesperrt supprime desactive inactif archive eliminado inactivo "
    "descatalogado eliminato inattivo verwijderd slettet usuniety nieaktywny "
    "sperre sperrkennzeichen blocked hide eol",
).tokens
"""Words of a column that says yes of an item that is gone or not for sale."""
SIGNS_OF_LIVE: Final = _words(
    "",
    "active enabled visible published online live listed shown sellable saleable salable purchasable buyable orderable "
    "displayed activated publish show forsale isforsale canbuy inshop imshop freigabe verkaufbar kaufbar bestellbar "
    "verkauflich angezeigt aktiv aktiviert sichtbar "
    "veroffentlicht veroeffentlicht freigegeben actif publie enligne activo publicado visivel attivo pubblicato "
    "visibile actief zichtbaar aktywny aktivni julkaistu activado habilitado ativo vendible vendibile acquistabile",
).tokens
"""Words of a column that says no of such an item."""
SIGNS_OF_STATUS: Final = _words(
    "",
    "status state lifecycle visibility zustand sichtbarkeit statut etat estado stato visibilite toestand stav "
    "artikelstatus produktstatus itemstatus productstatus poststatus onlinestatus webstatus shopstatus",
).tokens
"""Words of a column that says what stage an item is at."""
SIGNS_OF_STOCK: Final = _words("", _TO_BE_HAD).tokens
"""Words of a column that says no of an item that is not for sale, or of one that is sold out."""
SIGNS_OF_COPIES: Final = _words(
    "",
    "locale language lang sprache langue idioma lingua taal jezyk country land pays pais market markt marche channel "
    "kanal scope store storeview website site region",
).tokens
"""Words of a column that says for whom a row says its item."""
OF_ELSE: Final = _words(
    "",
    "stock inventory order payment price tax shipping image photo media attribute option review comment user customer "
    "featured sync import export seo meta url category brand variant backorder menu search",
).tokens
"""Words by which such a column is about something else than whether there is an item."""
WHEN: Final = _words("", "at on date time since am le datum fecha data timestamp ts").tokens
GONE: Final = frozenset(
    {
        *_words(
            "",
            "archived draft drafts inactive disabled hidden unpublished discontinued deleted removed trash trashed "
            "private retired obsolete eol suspended blocked offline invisible pending auto-draft entwurf archiviert "
            "inaktiv deaktiviert gelöscht versteckt gesperrt auslaufartikel brouillon archivé inactif désactivé "
            "supprimé borrador archivado inactivo eliminado bozza archiviato inattivo concept nieaktywny",
        ).tokens,
        *("not visible", "not visible individually", "end of life", "nicht sichtbar"),
    }
)
"""Words that mean that an item is gone or not for sale, whatever the column."""
LIVE: Final = frozenset(
    {
        *_words(
            "",
            "active enabled visible published publish live online public approved listed unlisted aktiv aktiviert "
            "sichtbar veröffentlicht actif publié activo publicado attivo pubblicato actief aktywny catalog search",
        ).tokens,
        *("catalog, search", "for sale", "en ligne"),
    }
)
"""Words that mean that it is there, whatever the column."""
YES: Final = _words("", "1 1.0 true t yes y on x ja j oui si sì sí wahr tak").tokens
NO: Final = _words("", "0 0.0 false f no n off nein non falsch nie").tokens

LEVELS_BELOW: Final = _words("", "aisle aisles shelf shelves gondola gondole regal").tokens
"""Words of a level that only beside a category is one."""
PARTS_OF_GROUPS: Final = _words(
    "",
    "group groups grp gruppe gruppen warengruppe artikelgruppe produktgruppe groupe gruppo grupo grupp grupa groep "
    "productgroep varugrupp varegruppe family familie famille familia famiglia rayon reparto rubro rubrique dept type",
).tokens
"""Words of groups of which sub-, Unter-, sous- and the like make a level below."""
NO_LEVELS: Final = _words(
    "",
    "supplier suppliers vendor vendors lieferant fournisseur proveedor fornitore maker producer designer author artist "
    "publisher license licence franchise seller merchant country origin land pays pais paese unit units uom einheit "
    "unite unidad unita status state tax vat mwst season saison url link slug handle path description summary tags "
    "tag option options variant variants model collection gtin ean upc code codes id ids warehouse store location",
).tokens
"""Words of columns that say of an item by whom, where or how it is sold, and no level."""
