"""Sessions."""

from django.urls import path

from authentication import views

urlpatterns = [
    path("sessions/", views.SessionListView.as_view(), name="sessions"),
    path(
        "sessions/terminate-all/",
        views.SessionTerminateAllView.as_view(),
        name="sessions-terminate-all",
    ),
    path("sessions/<uuid:session_id>/", views.SessionDetailView.as_view(), name="session"),
]
