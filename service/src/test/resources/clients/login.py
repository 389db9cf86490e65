# Logs in with PyMySQL and says how that ended: login.py HOST PORT USER PASSWORD SCHEMA
import sys

import pymysql

host, port, user, password, schema = sys.argv[1:]
try:
    connection = pymysql.connect(host=host, port=int(port), user=user, password=password, database=schema)
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER(), DATABASE(), 'ä'")
        print("OK", cursor.fetchone())
    connection.close()
except (pymysql.MySQLError, RuntimeError) as error:
    print("ERROR", type(error).__name__, *error.args)
