"""Words that a person writes again and again."""

from __future__ import annotations

from django.db import models

from .user import User


class TemplateQuerySet(models.QuerySet["Template"]):
    def for_user(self, user: User) -> TemplateQuerySet:
        """The templates of one signed-in user."""
        return self.filter(user=user)


class Template(models.Model):
    """Both forms of it: `text`, and `html` ("" where it has no formatting), with placeholders as "{first_name}"."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(max_length=100)
    text = models.TextField()
    html = models.TextField(blank=True)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="template_once")]

    def __str__(self) -> str:
        return self.name
