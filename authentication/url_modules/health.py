"""Health checks."""

from django.urls import path

from authentication import views

urlpatterns = [
    path("health/", views.HealthView.as_view(), name="health"),
    path("health/live/", views.LiveView.as_view(), name="live"),
]
