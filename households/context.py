from census_verify import clock
from households.permissions import scope_of


def scope(request) -> dict:
    """For every page: what the officer may see, and the day of the training mode."""
    officer = getattr(request, "user", None)
    return {
        "scope": scope_of(officer) if officer else None,
        "training_day": clock.training_day(),
    }
