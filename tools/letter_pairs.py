"""`python -m tools.letter_pairs`: counts which letters stand side by side, for `webmail/protocol/letter_pairs.py`.

The texts counted are the translations that Django ships for its own pages; only the counts are kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import django

TARGET = Path(__file__).parent.parent / "webmail" / "protocol" / "letter_pairs.py"

LATIN = {
    "cp1252": ("de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "is", "ca"),
    "cp1250": ("cs", "sk", "pl", "hu", "ro", "hr", "sl"),
    "cp1254": ("tr",),
    "cp1257": ("et", "lv", "lt"),
}
SCRIPTS = {"cp1251": ("ru", "uk", "bg", "be", "mk", "sr"), "cp1253": ("el",), "cp1255": ("he",), "cp1256": ("ar", "fa"),
           "cp874": ("th",)}  # fmt: skip
HAN = ("zh_Hans", "zh_Hant", "ja", "ko")
LEAST_KEPT, SHARE_KEPT = 80, 0.995
PAIRS_KEPT = {"th": 700}
LETTERS_KEPT = 420

# Words with letters that the translations hardly have.
WORDS = {
    "nl": "België Italië financiële coördinatie reünie vóór één knieën geïnteresseerd kopiëren categorieën beïnvloeden"
}

# What Django's pages never say and subjects of mail do.
SUBJECTS = {
    "zh_Hans": (
        "会议通知邮件您请谢附合同报告产品发票订单客户服务联系电话公司关于下周安排确认回复转发工作时间地址附件"
        "收据付款银行项目计划培训招聘简历邀请参加活动学校老师学生家长生日快乐新年祝好你们我他她的是了在有和"
        "不这那就也都要会能去来说看想很大小多少今明天昨早晚上午下"
    ),
    "zh_Hant": (
        "會議通知郵件您請謝附合同報告產品發票訂單客戶服務聯繫電話公司關於下週安排確認回覆轉寄工作時間地址附件"
        "收據付款銀行項目計劃培訓招聘簡歷邀請參加活動學校老師學生家長生日快樂新年祝好你們我他她的是了在有和"
        "不這那就也都要會能去來說看想很大小多少今明天昨早晚上午下"
    ),
    "ja": (
        "会議資料株式会社商店山田注文確認重要停止予定変更連絡送付件名返信転送明日今日午後午前時間場所参加申込"
        "請求書見積御中様願致申上お知らせありがとうございますよろしくいたしますのでからまでについてご案内発送"
        "完了領収日程打合"
    ),
    "ko": (
        "회의안내안녕하세요주문확인청구서요청합니다감사드립니다보내주세요내일오늘오후오전시간장소참석자료첨부"
        "파일견적계약결제배송완료알림공지여러분입니까"
    ),
}

HEAD = '''"""Which letters stand side by side in the languages of mail, commonest first: what `guessing` goes by.

Made by `python -m tools.letter_pairs`. Pairs of a letter that is not ASCII with its neighbour, in lower case; a space
stands for the edge of a word. For Chinese, Japanese and Korean, single characters.
"""
'''


def main() -> None:
    """Count and write."""
    lines = [HEAD, "PAIRS = {"]
    for codec, languages in (LATIN | SCRIPTS).items():
        for language in languages:
            lines += _entry(language, "".join(_pairs(language, codec)))
    lines += ["}", "", "COMMON = {"]
    for language in HAN:
        lines += _entry(language, _letters(language))
    TARGET.write_text("\n".join([*lines, "}", ""]), encoding="utf-8")


def _entry(language: str, text: str) -> list[str]:
    pieces = [text[start : start + 100] for start in range(0, len(text), 100)]
    return [f'    "{language}": (', *(f'        "{piece}"' for piece in pieces), "    ),"]


def _pairs(language: str, codec: str) -> list[str]:
    counted: Counter[str] = Counter()
    for text in (*_translations(language), *(WORDS.get(language, "").split() * 5)):
        # The comma below of Romanian has no place in its old charsets, which use the cedilla.
        words = re.sub(r"[^\w\u0e31-\u0e4e]|[\d_]", " ", f" {text} ".translate(str.maketrans("țșȚȘ", "ţşŢŞ")).lower())
        counted.update(a + b for a, b in pairwise(words) if max(a, b) > "\x7f")
    total, kept, seen = sum(counted.values()), list[str](), 0
    for pair, times in counted.most_common():
        if len(kept) >= PAIRS_KEPT.get(language, 300) or (seen > SHARE_KEPT * total and len(kept) >= LEAST_KEPT):
            break
        if pair.encode(codec, "ignore").decode(codec) == pair:
            kept.append(pair)
            seen += times
    return kept


def _letters(language: str) -> str:
    counted = Counter(char for text in _translations(language) for char in text if char >= "\u3040")
    common = "".join(char for char, _times in counted.most_common(LETTERS_KEPT) if char.isalpha())
    return "".join(dict.fromkeys(SUBJECTS[language] + common))


def _translations(language: str) -> Iterator[str]:
    for path in sorted(Path(django.__path__[0]).glob(f"**/locale/{language}/LC_MESSAGES/*.po")):
        catalog = path.read_text(encoding="utf-8")
        for found in re.finditer(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\n?)+)', catalog, re.MULTILINE):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found[1]))
            yield re.sub(r"\\.|%(?:\([a-z_]+\))?[a-z]|\{[a-z_]*\}|<[^>]*>|&\w+;", " ", text)


if __name__ == "__main__":
    main()
