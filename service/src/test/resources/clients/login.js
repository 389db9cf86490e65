// Logs in with one of Node's drivers and says how that ended: login.js FOLDER DRIVER HOST PORT USER PASSWORD SCHEMA
const { createRequire } = require('module');

const [folder, driver, host, port, user, password, database] = process.argv.slice(2);
const client = createRequire(folder + '/').call(null, driver);
const options = { host, port: Number(port), user, password, database, connectTimeout: 20000 };
const sql = "SELECT CURRENT_USER() AS who, DATABASE() AS what, 'ä' AS letter";

function failed(error) {
    console.log('ERROR', error.code, error.errno, error.sqlState, error.sqlMessage || error.message);
    process.exit(0);
}

function succeeded(rows) {
    console.log('OK', JSON.stringify(rows));
    process.exit(0);
}

if (driver === 'mariadb') {
    client.createConnection(options).then((connection) => connection.query(sql).then(succeeded)).catch(failed);
} else {
    const connection = client.createConnection(options);
    connection.on('error', failed);
    connection.connect((error) => (error ? failed(error) : connection.query(sql, (e, rows) => (e ? failed(e) : succeeded(rows)))));
}
