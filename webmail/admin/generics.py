"""Django's classes that are generic for the type checker only: subscripting them fails when the program runs."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserCreationForm

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyModelForm = forms.ModelForm[Any]
    AnyUserAdmin = UserAdmin[Any]
    AnyUserCreationForm = UserCreationForm[Any]
else:
    AnyModelAdmin = admin.ModelAdmin
    AnyModelForm = forms.ModelForm
    AnyUserAdmin = UserAdmin
    AnyUserCreationForm = UserCreationForm
