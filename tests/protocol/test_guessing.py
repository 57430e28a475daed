"""Undeclared 8-bit text: which charset it is in, from a line as short as a subject, the rest of the mail as a hint."""

from __future__ import annotations

import time

import pytest

from webmail.protocol import text
from webmail.protocol.guessing import contradicts, guess

SUBJECTS = {
    ("cp1250", "iso8859_2"): (
        "Změna termínu schůzky", "Příliš žluťoučký kůň", "Pozvánka na večeři u Novákových",
        "Zażółć gęślą jaźń", "Spotkanie w środę", "Potwierdzenie zamówienia nr 12", "Oferta współpracy",
        "Árvíztűrő tükörfúrógép", "Meghívó a jövő heti értekezletre",
        "Ofertă nouă pentru dumneavoastră", "Obavijest o sjednici u četvrtak", "Račun za prošli mjesec",
    ),
    ("cp1252",): (
        "Grüße aus München", "Änderung der Öffnungszeiten", "Réunion reportée à mercredi",
        "Ça va être génial, à bientôt",
        "¿Cómo estás?", "Confirmación de inscripción", "La riunione è rinviata a lunedì", "Não há atenção",
        "Möte på fredag, välkomna", "Vi ses på søndag, hilsen Søren", "Það er gott að heyra í þér",
        "Financiële coördinatie",
        "“Quoted” – and 5 €",
    ),
    ("cp1254",): ("Toplantı bugün değil yarın", "Sipariş onayı", "Şimdi görüşelim, iyi akşamlar"),
    ("cp1257",): ("Sąskaita už gruodžio mėnesį", "Sapulce pārcelta uz trešdienu", "Rēķins par decembri, paldies"),
    ("cp1251", "koi8_r", "cp866"): ("Привет, как дела", "СРОЧНО", "Тест", "Отчёт за ноябрь", "Re: Договор"),
    ("cp1251", "koi8_u"): ("Запрошення на зустріч", "Звіт за листопад, перевірте"),
    ("iso8859_7", "cp1253"): ("Πρόσκληση σε συνάντηση", "Καλημέρα"),
    ("cp1255", "iso8859_8"): ("שלום לכולם", "פגישה מחר בבוקר"),
    ("cp1256",): ("دعوة إلى اجتماع", "مرحبا كيف حالك"),
    ("cp874",): ("ประชุมวันพรุ่งนี้", "สวัสดีครับ"),
    ("euc_jp", "cp932"): ("会議の資料", "お知らせ", "会議資料", "ご注文ありがとうございます", "株式会社山田商店"),
    ("gb18030",): ("会议通知", "你好", "发票", "关于下周会议的安排", "订单确认"),
    ("big5",): ("會議通知", "你好", "關於下週會議的安排", "訂單確認"),
    ("cp949",): ("회의 안내", "안녕하세요", "주문 확인", "청구서"),
}  # fmt: skip
CASES = [(codec, line) for codecs, lines in SUBJECTS.items() for codec in codecs for line in lines
         if line.encode(codec, "ignore").decode(codec) == line]  # fmt: skip


@pytest.mark.parametrize(("codec", "line"), CASES)
def test_a_subject_is_read(codec: str, line: str) -> None:
    assert text.decode_header(line.encode(codec)) == line


@pytest.mark.parametrize(
    ("codec", "line"), [("cp1250", "Faktura č. 12"), ("cp1257", "Byla į teismą"), ("cp1254", "kapı")]
)
def test_what_the_body_declares_decides_a_short_line(codec: str, line: str) -> None:
    assert text.decode_header(line.encode(codec), codec) == line
    assert text.envelope(b"Subject: " + line.encode(codec), codec).subject == line


def test_all_fields_of_a_header_are_read_in_one_charset() -> None:
    header = "From: Jan Černý <jan@demo.test>\r\nTo: Eva Šťastná <eva@demo.test>\r\nSubject: Věc\r\n".encode("cp1250")
    envelope = text.envelope(header)
    assert (envelope.subject, envelope.from_[0].name, envelope.to[0].name) == ("Věc", "Jan Černý", "Eva Šťastná")


def test_a_name_in_another_charset_than_the_last_mail_is_not_remembered() -> None:
    raw = "Raèun <jan@demo.test>".encode("cp1252")
    assert text.addresses(raw, "windows-1250")[0].name == "Račun"
    assert text.addresses(raw, "windows-1252")[0].name == "Raèun"


def test_only_another_script_overrules_a_western_declaration() -> None:
    assert text.decode_text(
        "Здравствуйте, посылаю отчёт о прошедшей неделе.".encode("cp1251"), "iso-8859-1"
    ).startswith("Здр")
    assert text.decode_text("你好，这是我们开会的资料".encode("gb18030"), "iso-8859-1") == "你好，这是我们开会的资料"
    assert not contradicts("Größere Übungen für Anfänger, déjà vu".encode("cp1252"))
    assert not contradicts("ÄÖÜ ÄÖÜ".encode("cp1252"))


@pytest.mark.parametrize(
    "bomb",
    [bytes(range(128, 256)) * 8_000, b"\xe9 " * 500_000, b"\xe9" * 1_000_000, b"\xa4\xb3" * 500_000, b"\x80" * 9],
)
def test_a_guess_takes_its_time_from_the_bound_alone(bomb: bytes) -> None:
    guess(b"\xe9")  # its tables are made at first use
    start = time.perf_counter()
    guess(bomb)
    assert time.perf_counter() - start < 0.5
