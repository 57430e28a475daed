"""What of a plain text is folded, and how programs in many languages introduce what was said before."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol.folding import Block, Line, arrange
from webmail.protocol.plain import text_to_html
from webmail.protocol.text import preview

QUOTED = "> one\n> two\n> three\n> four\n"
PLAIN = "one\ntwo\nthree\nfour\n"


def shape(blocks: list[Block]) -> list[object]:
    """Kinds, with what is folded in parentheses and what is inside a quote as a list behind it."""
    out: list[object] = []
    for block in blocks:
        out.append(f"({block.kind})" if block.is_folded else block.kind)
        if block.kind == "quote":
            out.append(shape(block.blocks))
    return out


def shape_of(text: str) -> list[object]:
    lines = [Line(len(line) - len(line.lstrip(">")), line.lstrip(">").removeprefix(" ")) for line in text.split("\n")]
    return shape(arrange(lines))


ATTRIBUTIONS = [
    "On Tue, Mar 3, 2026 at 2:02 PM Bob Novak <bob@demo.test> wrote:",
    "On Tue, Mar 3, 2026 at 2:02 PM Bob Novak <\nbob@demo.test> wrote:",
    "On 3 Mar 2026, at 14:02,\nBob Novak <bob@demo.test>\nwrote:",
    "Dne 3. března 2026 14:02 Bob Novák <bob@demo.test> napsal(a):",
    "út 3. 3. 2026 v 14:02 odesílatel Bob Novák <bob@demo.test> napsal:",
    "Dňa 3. 3. 2026 o 14:02 Bob Novák napísal(a):",
    "W dniu 3.03.2026 o 14:02, Bob Nowak pisze:",
    "wt., 3 mar 2026 o 14:02 Bob Nowak <bob@demo.test> napisał(a):",
    "Am 03.03.2026 um 14:02 schrieb Bob Novak:",
    "Bob Novak <bob@demo.test> schrieb am Di., 3. März 2026, 14:02:",
    "Le mar. 3 mars 2026 à 14:02, Bob Novak <bob@demo.test> a écrit :",
    "El mar, 3 mar 2026 a las 14:02, Bob Novak (<bob@demo.test>) escribió:",
    "Il giorno mar 3 mar 2026 alle ore 14:02 Bob Novak <bob@demo.test> ha scritto:",
    "Op di 3 mrt 2026 om 14:02 schreef Bob Novak <bob@demo.test>:",
    "Em ter., 3 de mar. de 2026 às 14:02, Bob Novak <bob@demo.test> escreveu:",
    "вт, 3 мар. 2026 г. в 14:02, Bob Novak <bob@demo.test>:",
    "3 марта 2026 г., 14:02 пользователь Bob Novak написал:",
    "вт, 3 бер. 2026 р. о 14:02 Bob Novak <bob@demo.test> пише:",
    "Den tis 3 mars 2026 kl 14:02 skrev Bob Novak <bob@demo.test>:",
    "tir. 3. mars 2026 kl. 14:02 skrev Bob Novak <bob@demo.test>:",
    "ti 3. maalisk. 2026 klo 14.02 Bob Novak (bob@demo.test) kirjoitti:",
    "Bob Novak <bob@demo.test> ezt írta (időpont: 2026. márc. 3., K, 14:02):",
    "mar., 3 mar. 2026 la 14:02, Bob Novak <bob@demo.test> a scris:",
    "Bob Novak <bob@demo.test>, 3 Mar 2026 Sal, 14:02 tarihinde şunu yazdı:",
    "Στις Τρί 3 Μαρ 2026 στις 2:02 μ.μ., ο χρήστης Bob Novak <bob@demo.test> έγραψε:",
    "2026年3月3日(火) 14:02 Bob Novak <bob@demo.test>:",
    "Bob Novak さんは書きました:",
    "Bob Novak <bob@demo.test> 于2026年3月3日周二 14:02写道：",
    "Bob Novak <bob@demo.test> 於 2026年3月3日 週二 下午2:02寫道：",
    "2026년 3월 3일 (화) 오후 2:02, Bob Novak <bob@demo.test>님이 작성:",
    "\u202bבתאריך יום ג׳, 3 במרץ 2026 ב-14:02 מאת Bob Novak \u200f<\u202abob@demo.test\u202c\u200f>:\u202c",
    "* Bob Novak <bob@demo.test> [2026-03-03 14:02]:",
    "Quoting Bob Novak <bob@demo.test>:",
    "2026/3/3 Bob Novak <bob@demo.test>",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_belongs_to_its_quote(attribution: str) -> None:
    for between in ("\n", "\n\n"):
        html = text_to_html(f"Yes, gladly.\n\n{attribution}{between}{QUOTED}")
        assert html.startswith('<div class="lines">Yes, gladly.</div><details class="quoted"><summary>')
        assert "<summary>Quoted text" not in html
    assert preview(f"Yes, gladly.\n\n{attribution}\n{QUOTED}") == "Yes, gladly."


HEADER_BLOCKS = [
    "From: Bob Novak <bob@demo.test>\nSent: Tuesday, March 3, 2026 2:02 PM\nTo: Alice\nSubject: Budget",
    "*From:* Bob Novak <bob@demo.test>\n*Sent:* Tuesday, March 3, 2026 2:02 PM\n*To:* Alice\n*Subject:* Budget",
    "Von: Bob Novak\nGesendet: Dienstag, 3. März 2026 14:02\nAn: Alice\nBetreff: Budget",
    "De : Bob Novak\nEnvoyé : mardi 3 mars 2026 14:02\nÀ : Alice\nObjet : Budget",
    "De: Bob Novak\nEnviado el: martes, 3 de marzo de 2026 14:02\nPara: Alice\nAsunto: Presupuesto",
    "Da: Bob Novak\nInviato: martedì 3 marzo 2026 14:02\nA: Alice\nOggetto: Budget",
    "Van: Bob Novak\nVerzonden: dinsdag 3 maart 2026 14:02\nAan: Alice\nOnderwerp: Begroting",
    "De: Bob Novak\nEnviada em: terça-feira, 3 de março de 2026 14:02\nPara: Alice\nAssunto: Orçamento",
    "Od: Bob Novák\nOdesláno: úterý 3. března 2026 14:02\nKomu: Alice\nPředmět: Rozpočet",
    "Od: Bob Nowak\nWysłano: wtorek, 3 marca 2026 14:02\nDo: Alice\nTemat: Budżet",
    "От: Bob Novak\nОтправлено: 3 марта 2026 г. 14:02\nКому: Alice\nТема: Бюджет",
    "Från: Bob Novak\nSkickat: den 3 mars 2026 14:02\nTill: Alice\nÄmne: Budget",
    "Fra: Bob Novak\nSendt: 3. marts 2026 14:02\nTil: Alice\nEmne: Budget",
    "Lähettäjä: Bob Novak\nLähetetty: tiistai 3. maaliskuuta 2026 14.02\nVastaanottaja: Alice\nAihe: Budjetti",
    "Feladó: Bob Novak\nElküldve: 2026. március 3., kedd 14:02\nCímzett: Alice\nTárgy: Költségvetés",
    "Kimden: Bob Novak\nGönderildi: 3 Mart 2026 Salı 14:02\nKime: Alice\nKonu: Bütçe",
    "差出人: Bob Novak\n送信日時: 2026年3月3日 14:02\n宛先: Alice\n件名: 予算",
    "发件人: Bob Novak\n发送时间: 2026年3月3日 14:02\n收件人: Alice\n主题: 预算",
    "寄件者: Bob Novak\n寄件日期: 2026年3月3日 14:02\n收件者: Alice\n主旨: 預算",
    "보낸 사람: Bob Novak\n보낸 날짜: 2026년 3월 3일 14:02\n받는 사람: Alice\n제목: 예산",
]


@pytest.mark.parametrize("block", HEADER_BLOCKS)
@pytest.mark.parametrize(
    "above", ["", "-----Original Message-----\n", "________________________________\n", "----- x -----\n"]
)
def test_a_header_block_begins_another_message(block: str, above: str) -> None:
    html = text_to_html(f"Yes, gladly.\n\n{above}{block}\n\n{PLAIN}")
    assert html.startswith('<div class="lines">Yes, gladly.</div><details class="quoted"><summary>Bob No')
    assert '<blockquote class="quote"><div class="lines">one\ntwo' in html
    assert preview(f"Yes, gladly.\n\n{above}{block}\n\n{PLAIN}") == "Yes, gladly."


@pytest.mark.parametrize(
    "rule",
    ["-----Ursprüngliche Nachricht-----", "-----Původní zpráva-----", "-----Message d'origine-----",
     "----- Исходное сообщение -----",
     "-----Wiadomość oryginalna-----", "------------------ 原始邮件 ------------------",
     "-----元のメッセージ-----",
     "-------- Original Message --------", "-----Messaggio originale-----", "----- Mensaje original -----"],
)  # fmt: skip
def test_a_known_rule_needs_no_header_block(rule: str) -> None:
    assert shape_of(f"Yes.\n\n{rule}\n{PLAIN}") == ["lines", "(quote)", ["lines"]]


@pytest.mark.parametrize(
    "intro",
    ["---------- Forwarded message ---------\nFrom: Bob <bob@demo.test>\nDate: Tue, Mar 3, 2026\nSubject: x\nTo: Alice",
     "Begin forwarded message:\n\nFrom: Bob <bob@demo.test>\nSubject: x\nDate: 3 March 2026 at 14:02:00",
     "-------- Přeposlaná zpráva --------", "Anfang der weitergeleiteten Nachricht:",
     "---------- 転送メッセージ ----------"],
)  # fmt: skip
def test_what_was_sent_on_stays_open(intro: str) -> None:
    assert shape_of(f"For you.\n\n{intro}\n\n{PLAIN}") == ["lines", "quote", ["lines"]]
    assert 'class="quote forwarded"' in text_to_html(f"For you.\n\n{intro}\n\n{PLAIN}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi\nBob", ["lines"]),
        (f"Yes.\n{QUOTED}", ["lines", "(quote)", ["lines"]]),
        ("Yes.\n> short", ["lines", "quote", ["lines"]]),
        (QUOTED, ["quote", ["lines"]]),  # nothing but quote
        (f"On 3 Mar 2026, Bob wrote:\n{QUOTED}", ["quote", ["lines"]]),
        (f"{QUOTED}Yes.", ["quote", ["lines"], "lines"]),  # answered below
        (f"{QUOTED}Yes.\n{QUOTED}No.", ["quote", ["lines"], "lines", "quote", ["lines"], "lines"]),  # and between
        (f"{QUOTED}Yes.\n{QUOTED}", ["quote", ["lines"], "lines", "(quote)", ["lines"]]),
        (4 * QUOTED + "Yes.", ["(quote)", ["lines"], "lines"]),  # long, with one answer below it
        (f"Yes.\n{QUOTED}\n-- \nAlice", ["lines", "(quote)", ["lines"], "signature"]),
        (f"Yes.\n-- \nAlice\n{QUOTED}", ["lines", "signature", "(quote)", ["lines"]]),
        (f"Yes.\n\nSent from my phone\n\n{QUOTED}", ["lines", "signature", "(quote)", ["lines"]]),
        (
            "Yes.\n> Really?\n> On 2 Mar 2026 at 10:00, Alice wrote:\n>> one\n>> two\n>> three\n>> four",
            ["lines", "(quote)", ["lines", "(quote)", ["lines"]]],
        ),
        (
            "Yes.\n\n> On 2 Mar 2026, at 10:00, Alice <alice@demo.test> wrote:\n>\n> one\n> two\n> three\n> four",
            ["lines", "(quote)", ["lines"]],
        ),
        (
            f"Yes.\n{QUOTED}\n______________________\nHarbour mailing list\nhttps://lists.demo.test/listinfo/harbour",
            ["lines", "(quote)", ["lines"], "footer"],
        ),
        ("Yes.\n----------------------\nbut no list", ["lines"]),
        (
            "Key:\n-----BEGIN PGP PUBLIC KEY BLOCK-----\nabc\n-----END PGP PUBLIC KEY BLOCK-----\nBob",
            ["lines", "(code)", "lines"],
        ),
        ("begin 644 a.txt\n#0V%T\n`\nend\nThere.", ["(code)", "lines"]),
        ("begin 644 things\nwe said, and then\nend", ["lines"]),
        ("From: here\nto there", ["lines"]),
        ("Note:\nDate: tomorrow\nPlace: pier", ["lines"]),
    ],
)
def test_what_is_folded(text: str, expected: list[object]) -> None:
    assert shape_of(text) == expected


def test_a_chain_of_outlook_opens_mail_by_mail() -> None:
    chain = "".join(
        f"Answer {n}\n\nFrom: Bob <bob@demo.test>\nSent: 3 March 2026 14:0{n}\nTo: Alice\nSubject: x\n\n"
        for n in range(3)
    )
    assert shape_of(f"{chain}{PLAIN}") == ["lines", "(quote)", ["lines", "(quote)", ["lines", "(quote)", ["lines"]]]]


def test_a_label_is_text_and_short() -> None:
    html = text_to_html(f"Yes.\n\nOn 3 Mar 2026, <img src=x onerror=pwn()> {'x' * 150} wrote:\n{QUOTED}")
    summary = html.partition("<summary>")[2].partition("</summary>")[0]
    assert "&lt;img src=x" in summary
    assert "<" not in summary
    assert len(summary) < 130


def test_a_line_that_a_mailbox_file_marked_is_no_quote() -> None:
    assert (
        text_to_html("Dear Alice,\n>From here it is far.\nBob")
        == '<div class="lines">Dear Alice,\nFrom here it is far.\nBob</div>'
    )


BOMBS = {
    "fields": "a: b\n", "blocks": "From: a\nTo: b\nSubject: c\n\nx\n", "attributions": "On 2026 10:00 Bob wrote:\n",
    "attributed": "On 2026 Bob wrote:\n> x\n", "rules": "-----a-----\n", "originals": "-----Original Message-----\n",
    "keys": "-----BEGIN PGP SIGNATURE-----\n", "files": "begin 644 x\n", "signatures": "-- \n", "turns": "> a\nb\n",
    "stairs": "a\n> b\n>> c\n>>> d\n", "quotequail": "2026/1/1 " + " <@" * 60 + "\n> q\n", "marks": "＞\n",
    "empty": ">\n",
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_megabyte_takes_bounded_time(bomb: str) -> None:
    text = BOMBS[bomb] * (2**20 // len(BOMBS[bomb]))
    start = time.process_time()
    html = text_to_html(text)
    preview(text)
    assert time.process_time() - start < 4
    assert html.count("<blockquote") <= 1_001
    assert "<blockquote" * 9 not in html


WORDS = st.sampled_from(
    ["> ", ">", "\n", "On 3 Mar 2026, Bob wrote:", "-- \n", "From: Bob\n", "Sent: 14:02\n", "To: Alice\n", "a", " ",
     "\n\n", "-----Original Message-----\n", "_" * 30 + "\n", "unsubscribe\n",
     "-----BEGIN PGP SIGNATURE-----\n",
     "-----END PGP SIGNATURE-----\n", "<b>", "＞", "begin 644 x\n", "end\n"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=40).map("".join))
def test_no_word_is_lost(text: str) -> None:
    lines = [Line(len(line) - len(line.lstrip(">")), line.lstrip(">")) for line in text.split("\n")]
    gathered: list[str] = []

    def gather(blocks: list[Block]) -> None:
        for block in blocks:
            gathered.extend(block.lines)
            gather(block.blocks)

    gather(arrange(lines))
    assert [line for line in gathered if line.strip()] == [line.text for line in lines if line.text.strip()]
