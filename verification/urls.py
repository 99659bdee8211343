from django.urls import path

from verification import views

app_name = "verification"

urlpatterns = [
    path("next/", views.work, name="work"),
    path("search/", views.search, name="search"),
    path("units/<int:pk>/forms/", views.form_list, name="form_list"),
    path("units/<int:pk>/forms/print/", views.form_print, name="form_print"),
    path("units/<int:pk>/next/", views.unit_work, name="unit_work"),
    path("households/<int:pk>/verify/", views.household_verify, name="household_verify"),
    path("submissions/<uuid:submission>/undo/", views.submission_undo, name="submission_undo"),
]
