from django.urls import path

from .views import LeadershipView, MembershipsView

urlpatterns = [
    path("", MembershipsView.as_view()),
    path("leadership/", LeadershipView.as_view()),
]
