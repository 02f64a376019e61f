"""Sessions."""

from django.urls import path

from authentication import views

from . import converters  # noqa: F401 -- registers <id:...>

urlpatterns = [
    path("sessions/", views.SessionListView.as_view(), name="sessions"),
    path(
        "sessions/terminate-all/",
        views.SessionTerminateAllView.as_view(),
        name="sessions-terminate-all",
    ),
    path("sessions/<id:session_id>/", views.SessionDetailView.as_view(), name="session"),
]
