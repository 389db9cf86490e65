package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadReaderTest {
    @Test
    void integersAreLittleEndian() {
        PayloadReader reader =
                new PayloadReader("test", Hex.bytes("01", "0201", "030201", "04030201", "0807060504030201"));
        assertThat(reader.int1("a")).isEqualTo(0x01);
        assertThat(reader.int2("b")).isEqualTo(0x0102);
        assertThat(reader.int3("c")).isEqualTo(0x010203);
        assertThat(reader.int4("d")).isEqualTo(0x01020304);
        assertThat(reader.int8("e")).isEqualTo(0x0102030405060708L);
        assertThat(reader.hasRemaining()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "00, 0",
        "fa, 250",
        "fcfb00, 251",
        "fcffff, 65535",
        "fd000001, 65536",
        "fdffffff, 16777215",
        "fe0000000100000000, 16777216",
        "feffffffffffffffff, -1"
    })
    void lengthEncodedIntegersHaveFourForms(String hex, long value) {
        assertThat(new PayloadReader("test", Hex.bytes(hex)).lenencInt("number"))
                .isEqualTo(value);
        assertThat(new PayloadWriter().lenencInt(value).toByteArray())
                .isEqualTo(Hex.bytes(hex).toByteArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"fb", "ff", "", "fc00", "fd0000", "fe00000000000000"})
    void malformedLengthEncodedIntegersAreProtocolErrors(String hex) {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> new PayloadReader("test", Hex.bytes(hex)).lenencInt("number"))
                .withMessageStartingWith("test: expected ")
                .withMessageContaining("number at offset ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"05 'abcd'", "fe ffffffffffffffff", "fe ffffff7f00000000", "fd ffffff 00"})
    void stringsLongerThanThePayloadAreProtocolErrors(String fields) {
        Bytes payload = Hex.bytes(fields.split(" ", -1));
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> new PayloadReader("test", payload).lenencBytes("name"));
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> new PayloadReader("test", payload).lenencString("name"));
    }

    @Test
    void messageNamesFieldOffsetAndSizes() {
        PayloadReader reader = new PayloadReader("EOF_Packet", Hex.bytes("fe 00"));
        reader.int1("header");
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> reader.int2("warnings"))
                .withMessage("EOF_Packet: expected 2 bytes of warnings at offset 1, but only 1 of 2 are left");
    }

    @Test
    void missingNulIsAProtocolError() {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> new PayloadReader("test", Hex.bytes("'abc'")).nulString("user"))
                .withMessageContaining("expected a NUL at the end of user");
    }

    @Test
    void whatTheWriterWritesTheReaderReads() {
        Random random = new Random(1);
        for (int i = 0; i < 1_000; i++) {
            long number = random.nextLong() >>> random.nextInt(64);
            byte[] bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            Bytes payload = Bytes.of(new PayloadWriter()
                    .lenencInt(number)
                    .lenencBytes(Bytes.of(bytes))
                    .nulString("wörd")
                    .int8(number)
                    .int3(i)
                    .toByteArray());
            PayloadReader reader = new PayloadReader("test", payload.asByteBuffer());
            assertThat(reader.lenencInt("a")).isEqualTo(number);
            assertThat(reader.lenencBytes("b")).isEqualTo(Bytes.of(bytes));
            assertThat(reader.nulString("c")).isEqualTo("wörd");
            assertThat(reader.int8("d")).isEqualTo(number);
            assertThat(reader.int3("e")).isEqualTo(i);
            assertThat(reader.remaining()).isZero();
        }
    }

    @Test
    void anythingFromRandomBytesIsAValueOrAProtocolError() {
        Random random = new Random(2);
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] payload = new byte[random.nextInt(20)];
            random.nextBytes(payload);
            PayloadReader reader = new PayloadReader("test", payload);
            try {
                while (reader.hasRemaining()) {
                    readAnything(reader, random.nextInt(11));
                }
            } catch (ProtocolException expected) {
                refused++;
            }
        }
        assertThat(refused).isPositive();
    }

    private static void readAnything(PayloadReader reader, int field) {
        switch (field) {
            case 0 -> reader.int1("f");
            case 1 -> reader.int2("f");
            case 2 -> reader.int3("f");
            case 3 -> reader.int4("f");
            case 4 -> reader.int8("f");
            case 5 -> reader.lenencInt("f");
            case 6 -> reader.lenencBytes("f");
            case 7 -> reader.lenencString("f");
            case 8 -> reader.nulString("f");
            case 9 -> reader.skip(3, "f");
            default -> reader.rest();
        }
    }
}
