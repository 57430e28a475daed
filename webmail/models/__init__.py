"""The nouns: rows, their invariants and the ways to look them up. No network, no signals.

The room's one law: every look-up starts at the signed-in user (`objects.for_user(user)`, design law 5).
"""

from .account import Account
from .authorization import AuthorizationServer, Grant
from .contact import Contact, ContactCard, ContactGroup, ContactWord
from .draft import Draft, DraftFile
from .draft_copy import DraftCopy
from .identity import Identity
from .job import Job
from .mailbox import Mailbox
from .message import Message
from .provider import Provider, ProviderDomain
from .report import Report
from .session import Session
from .submission import Submission
from .template import Template
from .trusted_sender import TrustedSender
from .unsubscription import Unsubscription
from .upload import Upload, UploadPiece
from .user import User

__all__ = [
    "Account",
    "AuthorizationServer",
    "Contact",
    "ContactCard",
    "ContactGroup",
    "ContactWord",
    "Draft",
    "DraftCopy",
    "DraftFile",
    "Grant",
    "Identity",
    "Job",
    "Mailbox",
    "Message",
    "Provider",
    "ProviderDomain",
    "Report",
    "Session",
    "Submission",
    "Template",
    "TrustedSender",
    "Unsubscription",
    "Upload",
    "UploadPiece",
    "User",
]
