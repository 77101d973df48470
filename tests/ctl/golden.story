# What golden.py runs. A case is a user (-: nobody is signed in), the letters of its formats (t table, w wide, j json, n
# ndjson, c csv, i name) and the command, run once in each of them. `must USER WORDS` runs something without looking,
# `until USER PATTERN WORDS` runs it until its output has the pattern, `write NAME TEXT` makes a file. `interrupt PATTERN`
# in front of a case ends what goes on for ever, once its output has the pattern, as Ctrl-C does.
#
# Draws would differ from run to run: while a task is made there is one employee only who can be given it, and only one
# task is completed.

# Before there is anything.
- tjc help
- t help task ls
- t help task
- t help call tasks.create_task
- t help tsk
- t tsk
- t task lst
- t task ls --satus open
- t task ls --status opne
- t -o xml whoami
- t task
- tjc errors NOT_ASSIGNEE
- tni errors no-transfers
- t errors NOT_ASIGNEE
- tjc completion bash
- t completion tcsh
home tjcwni context ls
home tjc context show
home t context add ../x
home t context add demo --time-zone Moon/Base
home t context add demo --run FOLDER/run --time-zone Europe/Moscow --use
home j context add books --run run
home c context add attic --run FOLDER/elsewhere --data FOLDER/attic
home t context add demo
home tjcwni context ls
home t context use bocks
home tjc context use books
home tjcwni context show
home tjc context show demo
home t --context demo context show
home t --context nowhere whoami
home t --context demo task mine
- t context show
home tjc context use demo
- tjc whoami
- t task mine

# The data folder.
- t admin init
write password correct horse battery\n
- t admin check
- t admin init --login root --email root@example.com --password-file password
- j admin init --login root --email root@example.com --password-file password
- c admin init --login root --email root@example.com --password-file password
- tjcwni admin check
- tjc admin rebuild
- tjc admin keys ls
- t admin keys sl
- t admin keys new
- t admin keys new ../server
- t admin keys new server
- t admin keys new server
- t admin keys allow server
- t admin keys allow server --socket command
- t admin keys allow nobody --socket commands
- t admin keys allow server --socket commands
- t admin keys allow server --socket commands
- tj admin keys ls
- t admin keys revoke server --socket events
- t admin keys revoke server
- t admin keys rotate auth
- t admin keys rotate services
- t admin keys rotate services --finish
home t admin config
- jc admin config
write good.conf data = /srv/ates\nlog\n    level = debug\n
write bad.conf data = /srv/ates\nlog\n    level = loud\n
- t admin config check good.conf
- t admin config check bad.conf
- t admin health
start
until - "web +up" admin health
- tjc admin health
- ti admin describe payment
- tjc admin describe payment run_payment
- t admin describe payment run_payments
- t admin describe payments
- t admin check
- tjc whoami
- t login root --password-file nothing
write wrong this is not it\n
- t login root --password-file wrong
root tjcni login root --password-file password
root tjcwni whoami

# People. Until carl is a manager, every task is his; then ann's, until there is boris.
root t user add mia --email mia@example.com --role manager --password-file password
root j user add carl --email carl@example.com --role developer --password-file password
root t user add carl --email carl@example.com --role developer --password-file password
root t user add dora --email dora@example.com --role devloper --password-file password
root t user add dora --role developer
must mia login mia --password-file password
must carl login carl --password-file password
until carl toner -o json task add "Count the toner cartridges"
carl tjcwni task mine
carl t task done 1
carl j task done 1
carl t task done one
root tjc user set-role carl manager
root t user set-role carl mangaer
root t user set-role nobody manager
root c user add ann --email ann@example.com --role developer --password-file password
until carl "session was ended" task mine
must carl login carl --password-file password
must ann login ann --password-file password
until ann parrots -o json task add "Покормить попугаев, всех" --description "Feed the parrots,\nall of them"

# Tasks.
ann t task add "Write the report"
ann j task add "漢字の看板を直す"
ann c task add "Say \"hello\", then go" --description "a, b"
ann t task add ""
ann t task add
write more.csv name,description\nWater the ficus,\nFix the lamp,the one above the door\n
ann t task import more.csv
ann t task import more.csv --yes
ann j task import more.csv
ann c task import more.csv
ann t task add "[UBER-12] Oil the hinges"
ann t task add "Oil the hinges" --jira uber-12
ann tj task add "Oil the hinges" --jira UBER-12
write issues.csv name\n[UBER-13] Mend the perch\nHang [both] pictures\n
ann t task import issues.csv --yes
write bad.csv title\nWater the ficus\n
ann t task import bad.csv
ann t task import nothing.csv
ann tjcwni task mine
ann t task mine --status finished
ann t task mine --query "fic" --newest-first --limit 1
carl tjcwni task ls
carl t task ls --status finished --assigned-to carl
carl t task ls --query nothing
carl j task ls --query nothing
carl c task ls --query nothing
carl t task ls --from 2026-11-31
carl t task ls --from 2026-11-30 --to 2026-11-01
carl t task ls --assigned-to nobody
ann t task ls
ann tjcwni task show 2
ann t task show 1
ann t task show 999
carl tjcwni task log 1
carl c task done 2
carl t task done 2
carl tjc task reassign --dry-run
carl t task reassign
ann t task reassign --yes

# Money. accounting prices tasks as they come.
root t user add boris --email boris@example.com --role accountant --password-file password
must boris login boris --password-file password
until boris '"task_id":7' account all -o ndjson
until boris completion_reward account all -o csv
root tjcwni account balance 3
ann tjc account balance
ann t account balance carl
boris tjc account ledger 3
ann t account ledger --limit 1
ann t account ledger --from 2020-01-01 --to 2020-01-02
boris tjcwni account all --kind completion_reward
boris t account all --kind payot
ann t account all
boris tjc account income
boris t account income --to 2020-01-02
boris tjc account pay --dry-run
boris t account pay
boris t account pay --yes
boris jc account pay --yes
boris t account pay --date 2999-01-01 --yes
boris tjc payment show
root tjc payment run --dry-run
root tjc payment run --yes
root t payment run
ann t payment run --yes
until boris '"state":"sent"' mail ls -o ndjson
boris tjcwni mail ls
boris t mail ls --state dead
boris tjc mail show 1
boris t mail show 2
boris t mail retry 1
boris jc mail retry 1

# Reports.
until root '"task_id": 1' report top-task -o json
until root '"count": 1' call analytics.negative_balances
root tjcwni report today
root tjc report income
root tjcwni report negative
root tjc report top-task
root t report top-task --period week
root t report top-task --period fortnight
root t report top-task --from 2026-11-01
ann t report today

# Events and everything else.
root tjcwni events dead
root t events dead nobody
root tjc events tail --topic tasks.head --count 1
root tjcn call tasks.show_task task_id=1
root t call tasks.show_task
root t call tasks.show_tsk
root t call tasks.show_task task_id=x
root t call task.show_task

# Contexts, with somebody signed in.
home t login ann --password-file password
home tjc whoami
home t --context attic whoami
home t context ls
home t context show
home t context rm demo
home j context rm books
home c context rm attic
home t context rm attic

# Copies.
root tjc events wait
ann t events wait
root t events wait --seconds x
root tjcn events export tasks --from 2 --to 3
root t events export nobody
root t events export task
ann t events export tasks
- t admin backup FOLDER/first
- t admin backup FOLDER/first
- j admin backup FOLDER/second
- c admin backup FOLDER/third
- t admin restore FOLDER/first --data FOLDER/anew
- t admin restore FOLDER/first --data FOLDER/anew
- j admin restore FOLDER/second --data FOLDER/again
- c admin restore FOLDER/third --data FOLDER/more

# Users, once more.
root tjcwni user ls
root t user ls --role manager
root tjcwni user show ann
root t user show nobody
ann t user show carl
root t user disable ann
root j user disable ann
root c user disable ann
until ann "is disabled" task mine
ann t task mine
root t user enable ann
root j user enable ann
root c user enable ann
root t user disable root
root t user passwd ann --password-file password
root j user passwd ann --password-file password
root c user passwd ann --password-file password
boris t user passwd --password-file password --old-password-file wrong
must ann login ann --password-file password
# What goes on until Ctrl-C; on a terminal: terminal.py.
interrupt "Hang .both. pictures" carl tjcn task watch --all --limit 2
ann t task watch --all
interrupt "assign_fee" ann tjc account watch --limit 1
ann t account watch 3
root tjc admin top --interval 1
ann t admin top
root tjc bench rpc --seconds 1
root t bench rpc --command create_task
carl tjc task reassign --yes
ann tjc bench events --tasks 2 --yes
root tjc events retry tasks --all
root t events retry tasks
root t logout
root j logout
root c logout
root t whoami
stop
root t task mine
root i admin check
- tjc admin compact --dry-run
- t admin compact --keep-days 0
- t admin compact --before 2026-02-30
