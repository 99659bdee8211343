from django.urls import path

from verification import entry_views, import_views, views

app_name = "verification"

urlpatterns = [
    path("next/", entry_views.work, name="work"),
    path("work/today/", views.own_work, name="own_work"),
    path("search/", views.search, name="search"),
    path("units/<id:pk>/forms/", views.form_list, name="form_list"),
    path("units/<id:pk>/forms/print/", views.form_print, name="form_print"),
    path("units/<id:pk>/next/", entry_views.unit_work, name="unit_work"),
    path("households/<id:pk>/verify/", entry_views.household_verify, name="household_verify"),
    path("units/<id:pk>/order/", entry_views.unit_order, name="unit_order"),
    path("forms/<id:pk>/twins/", entry_views.twin_list, name="twin_list"),
    path("submissions/<uuid:submission>/undo/", entry_views.submission_undo, name="submission_undo"),
    path("imports/", import_views.import_list, name="import_list"),
    path("imports/new/", import_views.import_create, name="import_create"),
    path("imports/template/<str:kind>.<str:format>", import_views.import_template, name="import_template"),
    path("imports/<id:pk>/", import_views.import_detail, name="import_detail"),
    path("imports/<id:pk>/columns/", import_views.import_columns, name="import_columns"),
    path("imports/<id:pk>/problems/", import_views.import_problems, name="import_problems"),
    path("imports/<id:pk>/errors/", import_views.import_errors, name="import_errors"),
    path("imports/<id:pk>/confirm/", import_views.import_confirm, name="import_confirm"),
    path("imports/<id:pk>/cancel/", import_views.import_cancel, name="import_cancel"),
    path("imports/<id:pk>/check/", import_views.import_check, name="import_check"),
]
