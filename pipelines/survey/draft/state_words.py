"""Words of columns that say whether there is an item, and of their cells: data alone."""

from __future__ import annotations

from typing import Final

from pipelines.survey.draft.words import TO_BE_HAD, plain_words

SIGNS_OF_GONE: Final = plain_words(
    "deleted removed archived discontinued disabled inactive hidden unpublished retired obsolete trashed geloscht "
    "geloescht archiviert inaktiv ausgelaufen versteckt gesperrt supprime desactive inactif archive eliminado inactivo "
    "descatalogado eliminato inattivo verwijderd slettet usuniety nieaktywny "
    "sperre sperrkennzeichen blocked hide eol draft isdraft entwurf brouillon borrador bozza rascunho "
    "倉庫指定 非表示 廃番 削除 已删除"
)
"""Words of a column that says yes of an item that is gone or not for sale."""
SIGNS_OF_LIVE: Final = plain_words(
    "active enabled visible published online live listed shown sellable saleable salable purchasable buyable orderable "
    "displayed activated publish show forsale isforsale canbuy inshop imshop freigabe verkaufbar kaufbar bestellbar "
    "current iscurrent currentflag latest islatest latestversion verkauflich angezeigt aktiv aktiviert sichtbar "
    "veroffentlicht veroeffentlicht freigegeben actif publie enligne activo publicado visivel attivo pubblicato "
    "widocznosc widoczny widoczna viditelnost viditelny zobrazit zichtbaarheid synlig lathato yayinda visibilita "
    "visibilidad visibilidade видимость 진열상태 판매상태 진열여부 판매여부 "
    "visibile actief zichtbaar aktywny aktivni julkaistu activado habilitado ativo vendible vendibile acquistabile"
)
"""Words of a column that says no of such an item."""
SIGNS_OF_STATUS: Final = plain_words(
    "status state lifecycle visibility zustand sichtbarkeit statut etat estado stato visibilite toestand stav "
    "artikelstatus produktstatus itemstatus productstatus poststatus onlinestatus webstatus shopstatus "
    "trangthai حالة الحالة סטטוס สถานะ κατασταση allapot statusz stare статус durum 状态 狀態 ステータス 상태"
)
"""Words of a column that says what stage an item is at."""
SIGNS_OF_STOCK: Final = plain_words(TO_BE_HAD)
"""Words of a column that says no of an item that is not for sale, or of one that is sold out."""
SIGNS_OF_COPIES: Final = plain_words(
    "locale language lang sprache langue idioma lingua taal jezyk country land pays pais market markt marche channel "
    "kanal scope store storeview website site region"
)
"""Words of a column that says for whom a row says its item."""
OF_ELSE: Final = plain_words(
    "stock inventory order payment price tax shipping image photo media attribute option review comment user customer "
    "featured sync import export seo meta url category brand variant backorder menu search"
)
"""Words by which such a column is about something else than whether there is an item."""
WHEN: Final = plain_words("at on date time since am le datum fecha data timestamp ts")


def _cells(texts: str) -> frozenset[str]:
    return frozenset(texts.split("|"))


GONE: Final = _cells(
    "archived|draft|drafts|inactive|disabled|hidden|unpublished|discontinued|deleted|removed|trash|trashed|private|"
    "retired|obsolete|eol|suspended|blocked|offline|invisible|pending|auto-draft|entwurf|archiviert|inaktiv|"
    "deaktiviert|gelöscht|versteckt|gesperrt|auslaufartikel|brouillon|archivé|inactif|désactivé|supprimé|borrador|"
    "archivado|inactivo|eliminado|bozza|archiviato|inattivo|concept|nieaktywny|not visible|not visible individually|"
    "end of life|nicht sichtbar|ngừng bán|ngừng kinh doanh|ẩn|bản nháp|مخفي|غير نشط|محذوف|مسودة|معطل|מוסתר|לא פעיל|"
    "טיוטה|ซ่อน|ปิดใช้งาน|ฉบับร่าง|nonaktif|tidak aktif|diarsipkan|ανενεργό|κρυφό|πρόχειρο|inaktív|rejtett|törölt|"
    "inactiv|ascuns|ciornă|неактивен|скрит|чернова|неактивний|прихований|чернетка|скрыт|черновик|非公開|非表示|下書き|"
    "廃止|廃番|販売終了|販売停止|下架|已下架|停售|판매중지|판매종료|숨김"
)
"""Words that mean that an item is gone or not for sale, whatever the column."""
LIVE: Final = _cells(
    "active|enabled|visible|published|publish|live|online|public|approved|listed|unlisted|aktiv|aktiviert|sichtbar|"
    "veröffentlicht|actif|publié|activo|publicado|attivo|pubblicato|actief|aktywny|catalog|search|catalog, search|"
    "for sale|en ligne|đang bán|hiển thị|معروض|نشط|منشور|مفعل|פעיל|מוצג|เผยแพร่|เปิดใช้งาน|aktif|ενεργό|δημοσιευμένο|"
    "aktív|activ|publicat|активен|активний|опубліковано|опубликован|公開|表示|販売中|"
    "上架|已上架|在售|판매중"
)
"""Words that mean that it is there, whatever the column."""
YES: Final = _cells("1|1.0|true|t|yes|y|on|x|ja|j|oui|si|sì|sí|wahr|tak|ano|áno|igen|evet|kyllä|да")
NO: Final = _cells("0|0.0|false|f|no|n|off|nein|non|falsch|nie|ne|nem|hayır|ei|нет")
