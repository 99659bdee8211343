from households.models.imports import Import, ImportProblem, RememberedHeading
from households.models.officers import Posting, Reinforcement, TeamCommune, User, WorkTeam
from households.models.register import CollectionForm, Household
from households.models.suspected import SuspectedFault
from households.models.units import AdministrativeUnit, Commune, District, Hamlet, Province, UnitChange

__all__ = [
    "AdministrativeUnit",
    "CollectionForm",
    "Commune",
    "District",
    "Hamlet",
    "Household",
    "Import",
    "ImportProblem",
    "Posting",
    "Province",
    "Reinforcement",
    "RememberedHeading",
    "SuspectedFault",
    "TeamCommune",
    "UnitChange",
    "User",
    "WorkTeam",
]
