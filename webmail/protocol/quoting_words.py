"""What mail programs write over a quote, language by language: parts of regular expressions for `quoting`."""

from __future__ import annotations

# What stands for "wrote" in an attribution.
WROTE = (
    r"\b(?:wrote|writes|said|schrieb|schreibt|geschrieben|a écrit|écrit|écrivait|escribió|escribio|escribe|escreveu|"
    r"escrevia|ha scritto|scrisse|scritto|schreef|geschreven|skrev|skriver|skrifaði|kirjoitti|kirjoittaa|napsal|"
    r"napsala|píše|napísal|napísala|napisał|napisała|pisze|написал|написала|написали|пишет|писал|писала|написав|"
    r"написала|пише|написа|írta|ezt írta|a scris|scris|napisao|napisala|je napisal|piše|yazdı|yazmış|έγραψε|έγραψαν|"
    r"parašė|rašė|rakstīja|kirjutas|va escriure|escrigué|idatzi zuen|đã viết|viết|menulis|ditulis)\b|כתב|كتب|نوشت|"
    r"書きました|のメール|からのメッセージ|さんより|写道|寫道|编写|님이 작성|님이 .{0,40}작성|เขียน|ने लिखा"
)

# How an attribution begins.
OPENER = (
    r"(?:(?:On|At|In|Am|Le|Den|El|Il|Op|Em|No dia|Dne|Dňa|Dnia|W dniu|Dana|Pe data|Pe|La data|Kl|På|Þann|Στις|Na|V|"
    r"On behalf|Quoting|Citát|Zitat von|Citando|Citiere|Quoth|В|От|Вт|Пн|Ср|Чт|Пт|Сб|Вс|У|На|Em|A|El dia|Vào|Pada|"
    r"Tarih|ב|بتاريخ|في|در|在|于|於)\s|[\"'“<\[*]|\d{1,4}[-./年]|(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|"
    r"so)\w*[.,]|\w+,? \d)"
)

# Between the rules of "-----Original Message-----".
ORIGINAL = (
    "original message|original appointment|ursprüngliche nachricht|původní zpráva|pôvodná správa|"
    "message d['’]origine|message original|mensaje original|messaggio originale|oorspronkelijk bericht|"
    "origineel bericht|mensagem original|исходное сообщение|оригинальное сообщение|wiadomość oryginalna|"
    "oryginalna wiadomość|eredeti üzenet|ursprungligt meddelande|opprinnelig melding|oprindelig meddelelse|"
    "alkuperäinen viesti|orijinal mesaj|özgün ileti|αρχικό μήνυμα|original-nachricht|mesaj original|mesajul original|"
    "izvorna poruka|вихідне повідомлення|оригінальне повідомлення|הודעה מקורית|الرسالة الأصلية|原始邮件|原始郵件|"
    "原邮件|元のメッセージ|オリジナル メッセージ|원본 메일|원본 메시지|ข้อความต้นฉบับ|thư gốc"
)

# Between the rules of "---------- Forwarded message ----------".
FORWARDED = (
    "forwarded message|forwarded by .{1,40}|weitergeleitete nachricht|weitergeleitet von .{1,40}|přeposlaná zpráva|"
    "preposlaná správa|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht|"
    "mensagem encaminhada|пересылаемое сообщение|пересланное сообщение|przekazana wiadomość|"
    "treść przekazanej wiadomości|továbbított üzenet|vidarebefordrat meddelande|videresendt melding|"
    "videresendt meddelelse|välitetty viesti|iletilmiş mesaj|προωθημένο μήνυμα|mesaj redirecţionat|"
    "mesaj redirecționat|proslijeđena poruka|переслане повідомлення|הודעה שהועברה|رسالة معاد توجيهها|转发的邮件|"
    "轉寄郵件|轉寄的郵件|転送されたメッセージ|転送メッセージ|전달된 메시지|전달된 메일"
)

# The line over a forwarded message that has no rules.
BEGINS = (
    r"(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:réexpédié|"
    r"transféré)|inizio messaggio inoltrato|inicio del mensaje reenviado|início da mensagem (?:encaminhada|reenviada)|"
    r"začátek přeposlané zprávy|začiatok preposlanej správy|początek przekazywanej wiadomości|"
    r"begin doorgestuurd bericht|vidarebefordrat brev|videresendt besked|start på videresendt melding|"
    r"начало переадресованного сообщения|továbbított levél kezdete|転送されたメッセージ|下面是被转发的邮件|"
    r"以下是轉寄的郵件|전달된 메시지)[:：]?\s*$"
)

# The names of header fields as programs translate them, in the blocks that Outlook and others put over a quote.
FROM = (
    "from|von|de|da|od|van|från|fra|lähettäjä|от|от кого|від|від кого|feladó|de la|kimden|gönderen|από|מאת|من|از|"
    "差出人|送信者|发件人|发件者|寄件者|寄件人|보낸 사람|보낸사람|จาก|từ|dari|nuo|saatja|šalje|pošiljatelj"
)
OTHERS = (
    "sent|to|cc|bcc|date|subject|reply-to|importance|attachments|gesendet|an|datum|betreff|kopie|antwort an|envoyé|à|"
    "pour|objet|sujet|répondre à|enviado|enviado el|enviada em|enviado em|para|asunto|assunto|fecha|data|inviato|"
    "oggetto|a|per|verzonden|aan|onderwerp|odesláno|posláno|komu|předmět|dátum|odoslané|predmet|wysłano|do|dw|temat|"
    "skickat|till|ämne|sendt|til|emne|lähetetty|vastaanottaja|aihe|päiväys|отправлено|кому|копия|тема|дата|надіслано|"
    "копія|küldve|elküldve|címzett|tárgy|másolatot kap|trimis|către|subiect|gönderildi|gönderme tarihi|kime|konu|"
    "tarih|στάλθηκε|προς|θέμα|ημερομηνία|נשלח|אל|נושא|תאריך|تاريخ الإرسال|إلى|الموضوع|التاريخ|送信日時|宛先|件名|"
    "日時|日付|发送时间|收件人|抄送|主题|日期|傳送時間|收件者|副本|主旨|主題|寄件日期|보낸 날짜|받는 사람|받는사람|"
    "참조|제목|날짜|ส่ง|ถึง|เรื่อง|đã gửi|tới|chủ đề|poslano|za|zadeva|naslov|išsiųsta|kam|tema|nosūtīts|temats|"
    "saadetud|teema"
)

# What a telephone puts under each mail.
MOBILE = (
    r"(?:sent (?:from|with|via) |get outlook for |von meinem .{2,30} gesendet|gesendet (?:von|mit) |"
    r"diese nachricht wurde von meinem .{2,40} gesendet|envoyé (?:de(?:puis)? |à partir de )|enviado (?:desde|do|de|"
    r"a partir do) |inviato da(?:l| )|verzonden (?:vanaf|met|via) |odesláno z|odoslané z|wysłane? z|skickat från |"
    r"sendt fra |lähetetty |отправлено (?:с|из) |надіслано з|iphone['’]?(?:dan|umdan)|.{0,20}から送信|发自我的|"
    r"從我的 .{2,20} 傳送|나의 .{2,20}에서 보냄)"
)
