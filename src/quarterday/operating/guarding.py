"""Who may see the board and act on it, and that what is posted was asked for on a page of ours."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

from quarterday.settings import Settings, secret

TOKEN_SECONDS = 12 * 3600
# Who may start a run of this DAG may do what the board offers; who may look at it may look at the board.
GUARDING_DAG = "returns__load"


def may_read(user: Any) -> bool:
    """Return whether a login of Airflow's may see the board."""
    return _may("GET", user)


def may_act(user: Any) -> bool:
    """Return whether a login of Airflow's may do what the board offers; a viewer may not."""
    return _may("POST", user)


def _may(method: str, user: Any) -> bool:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    return bool(
        get_auth_manager().is_authorized_dag(
            method=method, access_entity=DagAccessEntity.RUN, details=DagDetails(id=GUARDING_DAG), user=user
        )
    )


def form_token(user_id: str, settings: Settings) -> str:
    """Return what a form of ours carries, so that no other site can post it: it holds for one login and half a day."""
    moment = str(int(time.time()))
    return f"{moment}.{seal(f'form {moment}', user_id, settings)}"


def is_own_form(token: str, user_id: str, settings: Settings) -> bool:
    """Return whether a token was made for this login, not too long ago."""
    moment, _, given = token.partition(".")
    is_fresh = moment.isdecimal() and 0 <= time.time() - int(moment) <= TOKEN_SECONDS
    return is_fresh and hmac.compare_digest(given.encode(), seal(f"form {moment}", user_id, settings).encode())


def seal(text: str, user_id: str, settings: Settings) -> str:
    """Return a code by which a text that comes back from a browser is known to be ours, for one login."""
    key = hashlib.sha256(b"quarterday board " + secret(settings, "airflow_api_key").encode()).digest()
    return hmac.new(key, f"{user_id}\0{text}".encode(), hashlib.sha256).hexdigest()
