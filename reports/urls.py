from django.urls import path

from reports import (
    alert_views,
    change_views,
    map_views,
    officer_views,
    official_views,
    template_views,
    views,
    what_if_views,
)

app_name = "reports"

urlpatterns = [
    path("", views.home, name="home"),
    path("units/<id:pk>/", views.unit_detail, name="unit_detail"),
    path("units/<id:pk>/changes/", change_views.unit_changes, name="unit_changes"),
    path("units/<id:pk>/figures/", views.unit_figures, name="unit_figures"),
    path("map/", map_views.map_home, name="map"),
    path("units/<id:pk>/map/", map_views.unit_map, name="unit_map"),
    path("units/<id:pk>/officers/", officer_views.unit_officers, name="unit_officers"),
    path("units/<id:pk>/slides/", views.unit_slides, name="unit_slides"),
    path("units/<id:pk>/report/", official_views.unit_report, name="unit_report"),
    path("units/<id:pk>/report/file/", official_views.unit_report_file, name="unit_report_file"),
    path("reports/", official_views.report_list, name="report_list"),
    path("reports/templates/", template_views.template_list, name="template_list"),
    path("reports/templates/standard/", template_views.template_standard, name="template_standard"),
    path("reports/templates/<id:pk>/file/", template_views.template_file, name="template_file"),
    path("reports/templates/<id:pk>/withdraw/", template_views.template_withdraw, name="template_withdraw"),
    path("teams/", views.team_list, name="team_list"),
    path("teams/what-if/", what_if_views.team_what_if, name="team_what_if"),
    path("teams/reinforcements/<id:pk>/cancel/", what_if_views.reinforcement_cancel, name="reinforcement_cancel"),
    path("teams/<id:pk>/", views.team_detail, name="team_detail"),
    path("teams/<id:pk>/officers/", officer_views.team_officers, name="team_officers"),
    path("teams/<id:pk>/changes/", change_views.team_changes, name="team_changes"),
    path("teams/<id:pk>/figures/", views.team_figures, name="team_figures"),
    path("alerts/", alert_views.alert_list, name="alert_list"),
    path("alerts/read/", alert_views.alerts_read, name="alerts_read"),
    path("alerts/<id:pk>/", alert_views.alert_open, name="alert_open"),
    path("exports/", views.export_list, name="export_list"),
    path("exports/new/", views.export_create, name="export_create"),
    path("exports/<id:pk>/", views.export_detail, name="export_detail"),
    path("exports/<id:pk>/cancel/", views.export_cancel, name="export_cancel"),
    path("exports/<id:pk>/file/", views.export_file, name="export_file"),
]
