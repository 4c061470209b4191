"""Words of prices, in the languages that most exports are in: data alone."""

from __future__ import annotations

from typing import Final

from pipelines.survey.draft.words import plain_words

GROSS: Final = plain_words(
    "gross brutto bruto brut ttc incl inkl inc including included inclusive incluido incluida incluidos incluso "
    "inclusa compris comprise inclus lordo ivato ivata inclvat incltax inclbtw inklmwst 税込"
)
"""Words of a price with tax."""
NET: Final = plain_words(
    "net netto neto nett ht excl exkl exc excluding excluded exclusive excluido excluida escluso esclusa exclus "
    "zzgl "
    "hors imponibile untaxed exclvat excltax exclbtw exklmwst 税抜"
)
"""Words of a price without tax."""
TAX: Final = plain_words("tax taxes vat mwst mw ust st steuer iva tva btw moms mva dph pdv gst alv kdv")
"""MwSt is two words where capitals begin them."""
WITH: Final = plain_words("with mit con avec met med s z com")
"""Words that, beside one of TAX, are as one of GROSS."""
WITHOUT: Final = plain_words("without no not ex ohne sin senza sans zonder uden utan bez sem")
"""Words that, beside one of TAX, are as one of NET."""
TRADE: Final = plain_words(
    "wholesale dealer reseller distributor trade b2b supplier handler haendler handlerpreis achat gros acquisto "
    "compra "
    "inkoop costo coste cout koszt zakup zakupu nakup cogs landed buying nhap"
)
"""Words of prices that the shop pays, or other shops do."""
MINOR: Final = plain_words(
    "cent cents centime centimes centimo centimos centavo centavos centesimi pence penny pennies minor grosz "
    "grosze "
    "groszy kopeck kopecks kopek kopeks kopeken копеики копеек копеиках rappen ore oere haler haleru halier filler "
    "kurus paise paisa satang subunit subunits micros"
)
"""Words of a price that is counted in coins, a hundredth of its currency's unit in most."""
BEFORE: Final = plain_words(
    "original originalprice before former previous recommended suggested strike crossed msrp rrp uvp initial avant "
    "ursprung vorher"
)
"""Words of prices that a lower one stands beside."""
REDUCED: Final = plain_words(
    "sale special promo promotion promotional discount discounted offer reduced markdown clearance angebot "
    "aktion rabatt "
    "reduziert promotionnel remise rabais solde soldes oferta descuento rebajado rebajada promocional promocion "
    "sconto "
    "scontato offerta desconto promocao aanbieding actie korting kampanj erbjudande rea tilbud kampanje tarjous "
    "promocja "
    "promocyjna rabatowa akcni akcios kedvezmenyes indirimli promotional redus скидка скидкой акционная акция "
    "промо "
    "акційна промоционална khuyen التخفيض تخفيض المخفض الخصم العرض מבצע diskon προσφορας"
)
"""Words of the price of a sale, beside one of AMOUNT."""
REDUCED_STEMS: Final = sorted(
    plain_words(
        "discount angebot aktion rabatt aanbieding actie korting kampanj erbjudande tilbud tarjous セール 特別 "
        "할인 促销"
    )
)
"""The same within words that are written as one: Kampanjpris, tarjoushinta."""
AMOUNT: Final = plain_words("ar gia سعر السعر מחיר")
"""Words of any price, beside those of WORDS."""
AMOUNT_STEMS: Final = sorted(
    plain_words(
        "price preis prix precio prezzo preco prijs pris cena hinta fiyat pret цена ціна ราคา harga τιμη 価格 价 가격"
    )
)
"""The same within words that are written as one."""
WAS: Final = plain_words(
    "old alt alter was compare streichpreis barre ancien antiguo anterior antes vecchio antigo stara stary puvodni "
    "gammal gammel vanha regi eski старая стара ord ordinarie ordinaer gốc cũ"
)
"""Words of the price that a sale's stands beside, where no other is."""
