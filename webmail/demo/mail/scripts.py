"""Friends and partners who write in their own script: one harbour, a dozen alphabets and as many charsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from webmail.demo.mail.clock import moment
from webmail.demo.mail.foreign import Foreign, write
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail
from webmail.demo.mail.people import CAST, Person

_RUN = "Účty a smlouvy"


@dataclass(frozen=True, slots=True)
class _Mail:
    """One message and where it lies; `code` is its charset, Python codec and transfer encoding."""

    key: str
    when: str
    sender: Person
    subject: str
    text: str
    code: tuple[str, str, str]
    mailbox: str = "INBOX"
    flags: tuple[str, ...] = SEEN
    subtype: str = "plain"
    raw_headers: bool = False


_POLISH = _Mail(
    "polish",
    "3d 21:17",
    CAST["klara"],
    "Żółta łódź i piernik",
    """Cześć Alicjo,

przesyłam Ci przepis na piernik mojej babci, obiecany już w zeszłym roku. Ciasto musi stać trzy tygodnie
w chłodnym miejscu — Twoja piwnica (ta sucha!) będzie idealna.

Mila pyta, czy żółta łódź z okna pracowni naprawdę pływa.

Uściski,
Klara""",
    ("UTF-8", "utf-8", "quoted-printable"),
)
_RUSSIAN = _Mail(
    "russian",
    "7d 18:40",
    CAST["dmitri"],
    "Чертежи понтонов, лист 5",
    """Алиса, добрый вечер!

Посылаю замечания к листу 5. Главное: четыре точки подъёма вместо трёх, и угол строп не меньше 45°.

Кофе капитана «Синего якоря» действительно хорош. Теперь все мои буксиры хотят работать в 05:15.

С уважением,
Дмитрий Сорокин""".replace("°", " град.")
    .replace("«", '"')
    .replace("»", '"'),
    ("koi8-r", "koi8_r", "8bit"),
    flags=("\\Seen", "\\Flagged"),
)
_JAPANESE = _Mail(
    "japanese",
    "4d 06:21",
    CAST["hana"],
    "模型の運送について",
    """アリス様

いつもお世話になっております。水島です。

港の模型は来週の火曜日に発送いたします。木箱の大きさは九百五十×六百五十×三百ミリです。
クレーンは輸送のため固定してあります。ねじを二本外すと、また動きます。

四十八個のランプは、すべて無事です。助手はもうランプを見たくないと言っています。

どうぞよろしくお願いいたします。

水島 花""",
    ("ISO-2022-JP", "iso2022_jp", "7bit"),
    flags=UNREAD,
)
_CHINESE = _Mail(
    "chinese",
    "13d 08:02",
    Person("林美华", "lin@canton-tiles.example", zone=8),
    "瓷砖样品已经寄出",
    """蒂德曼女士：

您好！码头台阶用的防滑瓷砖样品今天已经寄出，一共六种颜色，每种两块。

我个人最喜欢第四种：下雨的时候，它的颜色和海水一样。

祝好
林美华""",
    ("gb18030", "gb18030", "base64"),
)
_TAIWANESE = _Mail(
    "taiwanese",
    "29d 09:44",
    Person("陳柏宇", "chen@keelung-ropes.example", zone=8),
    "繩索報價單",
    """您好：

附上二十四毫米繫船繩的報價。每公尺八十五元，一百公尺以上九折。

繩子很結實，我祖父的船還在用。

陳柏宇""",
    ("big5", "big5", "8bit"),
)
_KOREAN = _Mail(
    "korean",
    "58d 10:30",
    Person("한지우", "jiwoo@busanport.example", zone=9),
    "부산 부두 견학 안내",
    """앨리스 님께,

다음 달 부두 견학을 환영합니다. 아침 아홉 시에 등대 앞에서 만나겠습니다.
바람이 많이 부니 모자는 꼭 잡으세요.

한지우 드림""",
    ("euc-kr", "euc_kr", "base64"),
    mailbox="Archive",
)
_ARABIC = _Mail(
    "arabic",
    "6d 13:13",
    Person("ليلى حدّاد", "layla@minaa-studio.example", zone=2),
    "دعوة إلى معرض الموانئ القديمة",
    """عزيزتي أليس،

يسعدنا أن ندعوك إلى معرض «الموانئ القديمة» في مرسمنا. سنعرض 12 نموذجًا، وبينها مرفأ صغير يشبه مرفأكم.

الافتتاح يوم الخميس في الساعة 18:30، والعنوان: Pier 7، الطابق الثاني.

مع أطيب التحيات،
ليلى""",
    ("utf-8", "utf-8", "base64"),
    flags=UNREAD,
)
_HEBREW = _Mail(
    "hebrew",
    "17d 11:50",
    Person("יעל שקד", "yael@shoreline.example", zone=2),
    "שאלה על המזח המערבי",
    """שלום אליס,

ראיתי את השרטוט של המזח (גיליון A-107, גרסה 3). האם המדרגה השלישית באמת עשויה אגוז?

אם כן, אני רוצה לראות אותה. אגיע ב-14 לחודש במעבורת של 09:20.

יעל""",
    ("windows-1255", "cp1255", "quoted-printable"),
)
_GREEK = _Mail(
    "greek",
    "22d 15:05",
    Person("Νίκος Γαλάνης", "nikos@galanis-nafpigeio.example", zone=2),
    "Το καΐκι είναι έτοιμο",
    """Αγαπητή Άλις,

το καΐκι είναι έτοιμο και το βάψαμε γαλάζιο, όπως το σχέδιό σου. Ο παππούς μου λέει ότι το γαλάζιο
είναι λάθος, αλλά το κοιτάζει κάθε πρωί.

Χαιρετισμούς από το ναυπηγείο,
Νίκος""",
    ("iso-8859-7", "iso8859_7", "8bit"),
)
_THAI = _Mail(
    "thai",
    "36d 05:30",
    Person("มาลี สุวรรณ", "malee@klongboat.example", zone=7),
    "ภาพเรือหางยาว",
    """สวัสดีค่ะคุณอลิซ

ส่งภาพเรือหางยาวมาให้ตามที่สัญญาไว้ค่ะ เรือลำนี้อายุห้าสิบปีแล้ว แต่ยังวิ่งเร็วกว่าเรือใหม่
ถ้ามาเที่ยวอีก จะพาไปกินก๋วยเตี๋ยวเรือร้านเดิมนะคะ

มาลี""",
    ("tis-620", "tis_620", "base64"),
    mailbox="Archive",
)
_HINDI = _Mail(
    "hindi",
    "49d 17:20",
    CAST["priya"],
    "दीपावली की शुभकामनाएँ 🪔",
    """प्रिय ऐलिस और बॉब,

आप दोनों को दीपावली की ढेर सारी शुभकामनाएँ! इस बार मैंने बालू की बाल्टी में दीये जलाए — वही बाल्टी,
जिसे देखकर लियो घबरा गया था।

प्रिया""",
    ("utf-8", "utf-8", "8bit"),
    mailbox="Archive",
)
_VIETNAMESE = _Mail(
    "vietnamese",
    "74d 04:55",
    Person("Trần Thị Mai", "mai@bencang.example", zone=7),
    "Cảm ơn chị về bản vẽ bến phà",
    """Chào chị Alice,

Em đã nhận được bản vẽ bến phà. Thầy giáo em nói rằng những bậc thang rất đẹp và rất thật.
Em xin phép in ra để treo trong lớp.

Mai""",
    ("utf-8", "utf-8", "quoted-printable"),
    mailbox="Archive",
)
_SPANISH = _Mail(
    "spanish",
    "40d 20:15",
    CAST["tomas"],
    "¿Baldosas para la sauna?",
    """¡Hola, Alice!

Encontré las baldosas perfectas para la casa de baños: verdes, rugosas, de un señor que las guarda desde
1962 «por si acaso». Este es el caso.

¿Cuántos metros? Un abrazo muy fuerte, y otro para la paloma.
Tomás""",
    ("iso-8859-1", "latin-1", "8bit"),
    raw_headers=True,
)
_EMOJI = _Mail(
    "emoji",
    "21d 19:33",
    CAST["jonas"],
    "🎂🚢🎶 = 👍?",
    """🎂 lemon ✔️
🚢 rented ✔️
🎶 4 altos, 1 tenor, 0 rehearsals 😬
👨‍👩‍👧‍👦 × 35
🇳🇴🏴‍☠️ flags ✔️

dad: 🤷‍♂️""",
    ("utf-8", "utf-8", "8bit"),
    mailbox="Family",
)
_CZECH = (
    _Mail(
        "nájem",
        "11d 09:25",
        CAST["eliska"],
        "Smlouva o nájmu ateliéru – dodatek č. 2",
        """Dobrý den,

posílám dodatek č. 2 k nájemní smlouvě. Mění se výše zálohy na teplo (čl. 4) a přibyl odstavec o holubovi (čl. 9).

Prosím o podpis do pátku. Holub podepisovat nemusí.

S pozdravem
Eliška Horáková""",
        ("windows-1250", "cp1250", "8bit"),
        mailbox=_RUN,
        flags=("\\Seen", "\\Flagged"),
    ),
    _Mail(
        "vodné",
        "26d 07:00",
        Person("Přístavní vodárny", "faktury@pristavni-vodarny.example", zone=1),
        "Faktura za vodné a stočné, 3. čtvrtletí",
        """Vážená zákaznice,

zasíláme Vám vyúčtování za 3. čtvrtletí:

    Vodné              1 214,00
    Stočné             1 087,50
    Dešťová voda           0,00   (pršelo, ale neúčtujeme)

Částka bude stržena z Vašeho účtu.

Přístavní vodárny""",
        ("iso-8859-2", "iso8859_2", "quoted-printable"),
        mailbox=_RUN,
    ),
    _Mail(
        "daně",
        "45d 16:42",
        CAST["eliska"],
        "Přiznání k DPH: ještě chybí tři účtenky",
        """Dobrý den Alice,

k uzávěrce mi chybí účtenky za: 1) dubové piloty, 2) boty pana Nováka, 3) dort.

Pokud byl dort pro klienta, je to reprezentace. Pokud byl pro holuba, raději mi o tom nepište.

Eliška""",
        ("UTF-8", "utf-8", "base64"),
        mailbox=_RUN,
    ),
    _Mail(
        "pojištění",
        "83d 10:10",
        Person("Pojišťovna Kotva", "smlouvy@pojistovna-kotva.example", zone=1),
        "Pojistná smlouva č. 7731/2 nabývá účinnosti",
        """Vážená paní Tideman,

Vaše pojištění přepravy modelu začíná platit dnem převzetí zásilky. Škody způsobené holuby jsou kryty.

Pojišťovna Kotva""",
        ("windows-1250", "cp1250", "base64"),
        mailbox=_RUN,
    ),
    _Mail(
        "elektřina",
        "112d 08:30",
        Person("Světlo a teplo", "ucty@svetlo-a-teplo.example", zone=1),
        "Vyúčtování elektřiny: přeplatek",
        """<html><body><p>Dobrý den,</p><p>máte <b>přeplatek 642 Kč</b>. Vrátíme jej do čtrnácti dnů na známý účet.</p>
<table border="1" cellpadding="6" cellspacing="0"><tr><th>Období</th><th>Spotřeba</th></tr><tr><td>květen</td>
<td>121 kWh</td></tr><tr><td>červen</td><td>98 kWh</td></tr></table><p>Děkujeme, že šetříte.</p></body></html>""",
        ("iso-8859-2", "iso8859_2", "8bit"),
        mailbox=_RUN,
        subtype="html",
    ),
    _Mail(
        "ateliér",
        "731d 12:00",
        CAST["eliska"],
        "Nájemní smlouva: ateliér, Stará provaznická 4",
        """Dobrý den,

smlouva je podepsána oběma stranami a klíče jsou u pana Marchettiho. Ten od plotru, ne ten od kávy.

Vítejte v přístavu!
Eliška Horáková""",
        ("iso-8859-2", "iso8859_2", "8bit"),
        mailbox=_RUN,
        raw_headers=True,
    ),
)
_ALL = (
    _POLISH, _RUSSIAN, _JAPANESE, _CHINESE, _TAIWANESE, _KOREAN, _ARABIC, _HEBREW, _GREEK, _THAI, _HINDI,
    _VIETNAMESE, _SPANISH, _EMOJI, *_CZECH,
)  # fmt: skip


def messages(now: datetime) -> Iterator[DemoMail]:
    """Alice's foreign correspondence."""
    for mail in _ALL:
        charset, codec, encoding = mail.code
        date = moment(now, mail.when)
        foreign = Foreign(
            key=f"script/{mail.key}",
            sender=mail.sender,
            subject=mail.subject,
            date=date,
            text=mail.text,
            charset=charset,
            codec=codec,
            encoding=encoding,
            subtype=mail.subtype,
            raw_headers=mail.raw_headers,
        )
        yield DemoMail(CAST["alice"].email, mail.mailbox, write(foreign), mail.flags, date)
