from django.urls import path

from verification import approval_views, card_views, entry_views, import_views, proof_views, sheet_views, views

app_name = "verification"

urlpatterns = [
    path("next/", entry_views.work, name="work"),
    path("search/", views.search, name="search"),
    path("scan/", card_views.card_scan, name="card_scan"),
    path("units/<id:pk>/forms/", views.form_list, name="form_list"),
    path("units/<id:pk>/forms/print/", views.form_print, name="form_print"),
    path("units/<id:pk>/next/", entry_views.unit_work, name="unit_work"),
    path("households/<id:pk>/verify/", entry_views.household_verify, name="household_verify"),
    path("units/<id:pk>/order/", entry_views.unit_order, name="unit_order"),
    path("forms/<id:pk>/twins/", entry_views.twin_list, name="twin_list"),
    path("submissions/<uuid:submission>/undo/", entry_views.submission_undo, name="submission_undo"),
    path("approvals/", approval_views.approval_list, name="approval_list"),
    path("units/<id:pk>/sheets/", sheet_views.unit_sheets, name="unit_sheets"),
    path("sheets/", sheet_views.sheet_list, name="sheet_list"),
    path("sheets/open/", sheet_views.sheet_open, name="sheet_open"),
    path("sheets/<id:pk>/", sheet_views.sheet_detail, name="sheet_detail"),
    path("sheets/<id:pk>/confirm/", sheet_views.sheet_confirm, name="sheet_confirm"),
    path("sheets/<id:pk>/withdraw/", sheet_views.sheet_withdraw, name="sheet_withdraw"),
    path("printings/<id:pk>/", sheet_views.printing_detail, name="printing_detail"),
    path("printings/<id:pk>/cancel/", sheet_views.printing_cancel, name="printing_cancel"),
    path("printings/<id:pk>/file/", sheet_views.printing_file, name="printing_file"),
    path("households/<id:pk>/proofs/", proof_views.household_proof, name="household_proof"),
    path("corrections/<id:pk>/proof/", proof_views.correction_proof, name="correction_proof"),
    path("passes/<id:pk>/proof/", proof_views.pass_proof, name="pass_proof"),
    path("proofs/<uuid:pk>/", proof_views.proof_detail, name="proof_detail"),
    path("proofs/<uuid:pk>/small/", proof_views.proof_small, name="proof_small"),
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
