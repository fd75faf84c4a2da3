"""A Home Assistant core in this process, with nothing but its MQTT integration: for scripts/validate_discovery.py.

It is the released package, not a copy of parts: discovery, schemas, templates, registries and entities are its own. It
runs headless: the integrations that MQTT names as dependencies (`http`, `file_upload`) serve its user interface and
count as loaded.
"""

import asyncio
import logging
import pathlib
import sys
import types

# A type name that a helper for OAuth imports; the package behind it has a dependency without a wheel.
bluetooth = types.ModuleType("habluetooth")
bluetooth.BluetoothServiceInfoBleak = object
sys.modules.setdefault("habluetooth", bluetooth)

from homeassistant import config_entries, loader  # noqa: E402
from homeassistant.core import CoreState, HomeAssistant  # noqa: E402
from homeassistant.helpers import (  # noqa: E402
    area_registry, category_registry, condition, device_registry, entity, entity_registry, floor_registry, frame,
    issue_registry, label_registry, restore_state, template, translation, trigger,
)
from homeassistant.helpers.storage import get_internal_store_manager  # noqa: E402


class Complaints(logging.Handler):
    """Keeps what Home Assistant warns of: it refuses a message by a warning in its log."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(f"{record.name}: {record.getMessage()}")

    def take(self):
        taken, self.texts = self.texts, []
        return taken


class Core:
    """A running core, connected to a broker on this machine."""

    async def start(self, port, directory):
        """`directory`: an empty one for its configuration, which the caller removes."""
        self.complaints = Complaints()
        logging.getLogger().addHandler(self.complaints)
        pathlib.Path(directory, "configuration.yaml").write_text("")
        self.hass = hass = HomeAssistant(directory)
        hass.config.skip_pip = True
        loader.async_setup(hass)
        hass.config_entries = config_entries.ConfigEntries(hass, {})
        for module in (entity, frame, template, translation, device_registry):
            module.async_setup(hass)
        await get_internal_store_manager(hass).async_initialize()
        await hass.config_entries.async_initialize()
        for registry in (area_registry, category_registry, device_registry, entity_registry, floor_registry,
                         issue_registry, label_registry, restore_state):
            await registry.async_load(hass)
        await condition.async_setup(hass)
        await trigger.async_setup(hass)
        for integration in ("http", "file_upload"):
            hass.config.components.add(integration)
        hass.set_state(CoreState.running)
        self.entry = config_entries.ConfigEntry(
            data={"broker": "127.0.0.1", "port": port, "protocol": "5"}, discovery_keys=types.MappingProxyType({}),
            domain="mqtt", minor_version=2, options={}, source="user", subentries_data=None, title="broker",
            unique_id=None, version=2)
        await hass.config_entries.async_add(self.entry)
        await hass.async_block_till_done()
        if self.entry.state is not config_entries.ConfigEntryState.LOADED:
            raise RuntimeError(f"Home Assistant's MQTT integration is {self.entry.state}: {self.complaints.take()}")
        return self

    async def restart_mqtt(self):
        """Unloads the integration and loads it again: it forgets what it has discovered, and says that it is born."""
        await self.hass.config_entries.async_reload(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def stop(self):
        # What hangs here is nobody's concern any more.
        async with asyncio.timeout(20):
            await self.hass.config_entries.async_unload(self.entry.entry_id)
            await self.hass.async_stop(force=True)
        logging.getLogger().removeHandler(self.complaints)

    def registered(self):
        """Entries of the entity registry by unique id."""
        return {entry.unique_id: entry for entry in entity_registry.async_get(self.hass).entities.values()}

    def devices(self):
        return list(device_registry.async_get(self.hass).devices)

    def state(self, unique_id):
        """The state of an entity as its user sees it; None where there is none."""
        entry = self.registered().get(unique_id)
        return self.hass.states.get(entry.entity_id) if entry else None

    def rename(self, unique_id, name):
        """What a user does to an entity."""
        registry = entity_registry.async_get(self.hass)
        registry.async_update_entity(self.registered()[unique_id].entity_id, name=name)

    async def until(self, what, holds, seconds=15):
        """Waits until `holds()`; raises with `what` and with what was complained of."""
        for _ in range(int(seconds * 50)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{what}: not within {seconds} s; Home Assistant says {self.complaints.take()}")
