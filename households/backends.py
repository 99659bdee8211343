from django.contrib.auth.backends import ModelBackend

from households.models import User
from households.permissions import officer_with_scope


class OfficerBackend(ModelBackend):
    """Django's own accounts; a request's officer comes with her postings of today.

    Nothing of it is kept between requests: a deactivated account, a changed password and an ended posting
    hold from the next request on.
    """

    def get_user(self, user_id: str) -> User | None:
        officer = officer_with_scope(int(user_id))
        return officer if officer and self.user_can_authenticate(officer) else None
