package org.tiproxy.examples.bench;

import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.PreparedStatement;
import java.sql.SQLWarning;
import java.sql.SQLXML;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Struct;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;
import org.jspecify.annotations.NullUnmarked;

/** A connection that answers every call with the least that the method's type allows. */
@NullUnmarked
final class StubConnection implements Connection {
    @Override
    public Statement createStatement() {
        return null;
    }

    @Override
    public PreparedStatement prepareStatement(String a0) {
        return null;
    }

    @Override
    public CallableStatement prepareCall(String a0) {
        return null;
    }

    @Override
    public String nativeSQL(String a0) {
        return null;
    }

    @Override
    public void setAutoCommit(boolean a0) {}

    @Override
    public boolean getAutoCommit() {
        return true;
    }

    @Override
    public void commit() {}

    @Override
    public void rollback() {}

    @Override
    public void close() {}

    @Override
    public boolean isClosed() {
        return true;
    }

    @Override
    public DatabaseMetaData getMetaData() {
        return null;
    }

    @Override
    public void setReadOnly(boolean a0) {}

    @Override
    public boolean isReadOnly() {
        return true;
    }

    @Override
    public void setCatalog(String a0) {}

    @Override
    public String getCatalog() {
        return null;
    }

    @Override
    public void setTransactionIsolation(int a0) {}

    @Override
    public int getTransactionIsolation() {
        return 0;
    }

    @Override
    public SQLWarning getWarnings() {
        return null;
    }

    @Override
    public void clearWarnings() {}

    @Override
    public Statement createStatement(int a0, int a1) {
        return null;
    }

    @Override
    public PreparedStatement prepareStatement(String a0, int a1, int a2) {
        return null;
    }

    @Override
    public CallableStatement prepareCall(String a0, int a1, int a2) {
        return null;
    }

    @Override
    public void setTypeMap(Map<String, Class<?>> a0) {}

    @Override
    public Map<String, Class<?>> getTypeMap() {
        return Map.of();
    }

    @Override
    public void setHoldability(int a0) {}

    @Override
    public int getHoldability() {
        return 0;
    }

    @Override
    public Savepoint setSavepoint() {
        return null;
    }

    @Override
    public Savepoint setSavepoint(String a0) {
        return null;
    }

    @Override
    public void rollback(Savepoint a0) {}

    @Override
    public void releaseSavepoint(Savepoint a0) {}

    @Override
    public Statement createStatement(int a0, int a1, int a2) {
        return null;
    }

    @Override
    public PreparedStatement prepareStatement(String a0, int a1, int a2, int a3) {
        return null;
    }

    @Override
    public CallableStatement prepareCall(String a0, int a1, int a2, int a3) {
        return null;
    }

    @Override
    public PreparedStatement prepareStatement(String a0, int a1) {
        return null;
    }

    @Override
    public PreparedStatement prepareStatement(String a0, int[] a1) {
        return null;
    }

    @Override
    public PreparedStatement prepareStatement(String a0, String[] a1) {
        return null;
    }

    @Override
    public Clob createClob() {
        return null;
    }

    @Override
    public Blob createBlob() {
        return null;
    }

    @Override
    public NClob createNClob() {
        return null;
    }

    @Override
    public SQLXML createSQLXML() {
        return null;
    }

    @Override
    public boolean isValid(int a0) {
        return true;
    }

    @Override
    public void setClientInfo(String a0, String a1) {}

    @Override
    public void setClientInfo(Properties a0) {}

    @Override
    public String getClientInfo(String a0) {
        return null;
    }

    @Override
    public Properties getClientInfo() {
        return null;
    }

    @Override
    public Array createArrayOf(String a0, Object[] a1) {
        return null;
    }

    @Override
    public Struct createStruct(String a0, Object[] a1) {
        return null;
    }

    @Override
    public void setSchema(String a0) {}

    @Override
    public String getSchema() {
        return null;
    }

    @Override
    public void abort(Executor a0) {}

    @Override
    public void setNetworkTimeout(Executor a0, int a1) {}

    @Override
    public int getNetworkTimeout() {
        return 0;
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        return null;
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
