from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, register_converter
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView

from census_verify import health
from census_verify.converters import IdConverter
from census_verify.log_in import LogIn
from reports import api as reports_api
from verification import api as verification_api

register_converter(IdConverter, "id")

handler400 = "census_verify.errors.bad_request"
handler403 = "census_verify.errors.forbidden"
handler404 = "census_verify.errors.not_found"
handler500 = "census_verify.errors.server_error"

api = [
    path("provinces/", reports_api.ProvinceList.as_view(), name="province_list"),
    path("districts/", reports_api.DistrictList.as_view(), name="district_list"),
    path("communes/", reports_api.CommuneList.as_view(), name="commune_list"),
    path("hamlets/", reports_api.HamletList.as_view(), name="hamlet_list"),
    path("units/<int:pk>/", reports_api.UnitDetail.as_view(), name="unit_detail"),
    path("households/<int:pk>/", verification_api.HouseholdDetail.as_view(), name="household_detail"),
    path("households/<int:pk>/results/", verification_api.HouseholdResults.as_view(), name="household_results"),
    path("households/<int:pk>/people/", verification_api.HouseholdPeople.as_view(), name="household_people"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("accounts/login/", LogIn.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/password/", auth_views.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password/done/", auth_views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("admin/", admin.site.urls),
    path("api/v1/", include((api, "api"))),
    path("", include("verification.urls")),
    path("", include("reports.urls")),
]
