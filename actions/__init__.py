"""What an operator does with marked customers; one file per verb. `ACTIONS` is the menu, in its order."""

from __future__ import annotations

from actions.change_settings import ChangeCustomerSettings
from actions.copy_records import CopyCustomer, FullCopyCustomer
from actions.delete_records import DeleteCustomers
from actions.export_sheet import ExportCustomers
from actions.print_labels import PrintCustomerLabels
from actions.record_mailing import RecordMailing
from actions.write_letters import WriteLetters
from flask_appadmin.bulk import Action, EditRecord, KeepOnWorklist, MergeRecords

#: In the order of the strip above the list.
ACTIONS: tuple[Action, ...] = (
    EditRecord(),
    ChangeCustomerSettings(),
    ExportCustomers(),
    PrintCustomerLabels(),
    KeepOnWorklist(),
    WriteLetters(),
    RecordMailing(),
    CopyCustomer(),
    FullCopyCustomer(),
    MergeRecords(),
    DeleteCustomers(),
)
