package org.tiproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.Secret;

class SettingsReaderTest {
    private static final Key<String> NAME =
            Key.string("a.name", "m").byDefault("default").flag("name");
    private static final Key<Integer> COUNT = Key.integer("a.count", 0, 9, "m").byDefault("1");
    private static final Key<List<String>> LIST = Key.strings("a.list", "m");
    private static final Key<Path> FOLDER = Key.path("b.folder", "a folder", "m");
    private static final Key<Secret> PASSWORD = Key.secret("b.password", "m");
    private static final Key<String> DEEP = Key.string("b.deep.key", "m");
    private static final List<Key<?>> KEYS = List.of(NAME, COUNT, LIST, FOLDER, PASSWORD, DEEP);
    private static final List<String> IGNORED = List.of("other", "a.old");

    @TempDir
    Path folder;

    private final Problems problems = new Problems();

    private SettingsReader reader(Map<String, String> environment) {
        return new SettingsReader(KEYS, IGNORED, environment, problems);
    }

    private Settings file(String... lines) throws IOException {
        return file(Map.of(), lines);
    }

    private Settings file(Map<String, String> environment, String... lines) throws IOException {
        Path file = Files.write(folder.resolve("x.toml"), List.of(lines));
        SettingsReader reader = reader(environment);
        reader.readFile(file, "x.toml", Origin.ofFlag("--config", ""));
        return reader.settings();
    }

    private List<String> errors() {
        return problems.errors().stream().map(Problem::toString).toList();
    }

    private List<String> warnings() {
        return problems.warnings().stream().map(Problem::toString).toList();
    }

    /** A dash stands for a source that does not give the key. */
    @ParameterizedTest
    @CsvSource({
        "-, -, -, default, a.name",
        "file, -, -, file, x.toml:2: a.name",
        "-, variable, -, variable, TIPROXY_A_NAME",
        "-, -, flag, flag, --name",
        "file, variable, -, variable, TIPROXY_A_NAME",
        "file, -, flag, flag, --name",
        "-, variable, flag, flag, --name",
        "file, variable, flag, flag, --name",
    })
    void flagWinsOverEnvironmentOverFileOverDefault(
            String inFile, String variable, String flag, String winner, String origin) throws IOException {
        Path file = Files.writeString(
                folder.resolve("x.toml"), inFile.equals("-") ? "" : "[a]\nname = \"" + inFile + "\"\n");
        SettingsReader reader = reader(variable.equals("-") ? Map.of() : Map.of("TIPROXY_A_NAME", variable));
        if (!flag.equals("-")) {
            reader.readFlag(NAME, "--name", flag);
        }
        reader.readFile(file, "x.toml", Origin.ofFlag("--config", ""));

        assertThat(errors()).isEmpty();
        assertThat(reader.settings().get(NAME)).isEqualTo(winner);
        assertThat(reader.settings().origin(NAME)).hasToString(origin);
        assertThat(reader.settings().isSet(NAME)).isEqualTo(!winner.equals("default"));
    }

    @Test
    void reportsMistakesOfAllSourcesInTheOrderOfReading() throws IOException {
        Path file = Files.writeString(folder.resolve("x.toml"), "[a]\ncount = 10\nnme = 1\n");
        SettingsReader reader = reader(Map.of("TIPROXY_A_COUNT", "many", "TIPROXY_B_FOLDR", "x", "HOME", "/"));
        reader.readFlag(NAME, "--name", "");
        reader.readFile(file, "x.toml", Origin.ofFlag("--config", ""));

        assertThat(errors())
                .containsExactly(
                        "x.toml:2: a.count: 10: expected an integer from 0 to 9",
                        "x.toml:3: a.nme: unknown key; did you mean a.name?",
                        "TIPROXY_A_COUNT: \"many\": expected an integer from 0 to 9",
                        "TIPROXY_B_FOLDR: unknown variable; did you mean TIPROXY_B_FOLDER?",
                        "--name: \"\": expected a string (empty)");
        assertThat(reader.settings().get(COUNT)).isEqualTo(1);
        assertThat(reader.settings().isSet(COUNT)).isTrue();
        assertThatThrownBy(problems::throwIfErrors)
                .isInstanceOfSatisfying(
                        ConfigException.class, e -> assertThat(e.errors()).hasSize(5));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.name = 4000          | x.toml:1: a.name: 4000: expected a string, found an integer",
                "a.name = 1.5           | x.toml:1: a.name: 1.5: expected a string, found a floating-point number",
                "a.name = true          | x.toml:1: a.name: true: expected a string, found a boolean",
                "a.name = 1979-05-27    | x.toml:1: a.name: 1979-05-27: expected a string, found a date or time",
                "a.name = ['x']         | x.toml:1: a.name: expected a string, found an array",
                "a.name = {x = 1}       | x.toml:1: a.name: expected a string, found a table",
                "a.count = '1'          | x.toml:1: a.count: \"1\": expected an integer from 0 to 9, found a string",
                "a.list = 'x'           | x.toml:1: a.list: \"x\": expected a list of strings, found a string",
                "a.list = ['x', 1]      | x.toml:1: a.list: 1: expected a string, found an integer",
                "a = 1                  | x.toml:1: a: expected a table [a], found an integer",
                "[[a]]                  | x.toml:1: a: expected a table [a], found an array",
                "[c]                    | x.toml:1: c: unknown table",
                "a.nam = 1              | x.toml:1: a.nam: unknown key; did you mean a.name?",
                "b.count = 1            | x.toml:1: b.count: unknown key; did you mean a.count?",
                "elsewhere.count = 1      | x.toml:1: elsewhere.count: unknown key; there is a.count",
                "name = 'x'             | x.toml:1: name: unknown key; there is a.name",
                "a.bogus = 1            | x.toml:1: a.bogus: unknown key",
                "b.deep.kye = 1         | x.toml:1: b.deep.kye: unknown key; did you mean b.deep.key?",
                "a.\"x.y\" = 1          | x.toml:1: a.\"x.y\": unknown key",
                "a.name = foo           | x.toml:1: column 10: not valid TOML: Unexpected 'f', expected a value",
            })
    void reportsWhatIsWrongInAFile(String line, String error) throws IOException {
        file(line);

        assertThat(errors()).first().isEqualTo(error);
    }

    @Test
    void reportsAllSyntaxErrorsAndDuplicates() throws IOException {
        Settings settings = file("[a]", "name = foo", "count = 1", "count = 2", "= 3", "[b]", "folder = ");

        assertThat(errors())
                .hasSize(4)
                .allMatch(error -> error.contains("column") && error.contains("not valid TOML"))
                .satisfiesExactly(
                        error -> assertThat(error).startsWith("x.toml:2:"),
                        error -> assertThat(error).startsWith("x.toml:4:").contains("previously defined at line 3"),
                        error -> assertThat(error).startsWith("x.toml:5:"),
                        error -> assertThat(error).startsWith("x.toml:7:"));
        assertThat(settings.isMissing(NAME)).isFalse();
        assertThat(settings.isSet(NAME)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"password = hunter2", "password = \"hunter2", "PassWord hunter2", "password = 'x' hunter2"})
    void syntaxErrorsDoNotShowSecrets(String line) throws IOException {
        file("[b]", line);

        assertThat(errors())
                .isNotEmpty()
                .allSatisfy(error -> assertThat(error)
                        .startsWith("x.toml:2: column ")
                        .endsWith("not shown because the line may hold a secret"));
    }

    @Test
    void misplacedSecretsAreNotShown() throws IOException {
        file(
                Map.of("TIPROXY_B_PASSWROD", "hunter2", "TIPROXY_B_PASSWORD", ""),
                "[b]",
                "pasword = \"hunter2\"",
                "password = [\"hunter2\"]");

        assertThat(errors())
                .containsExactly(
                        "x.toml:2: b.pasword: unknown key; did you mean b.password?",
                        "x.toml:3: b.password: expected a string that is not empty, found an array",
                        "TIPROXY_B_PASSWORD: expected a string that is not empty",
                        "TIPROXY_B_PASSWROD: unknown variable; did you mean TIPROXY_B_PASSWORD?");
    }

    @Test
    void secretsComeFromFilesToo() throws IOException {
        Files.writeString(folder.resolve("secret"), "hunter2\nsecond line\n");

        Settings settings = file("b.password-file = \"secret\"");

        assertThat(errors()).isEmpty();
        assertThat(settings.get(PASSWORD).reveal()).isEqualTo("hunter2");
        assertThat(settings.isSet(PASSWORD)).isTrue();
    }

    @Test
    void secretFilesMustBeThereAndHoldASecret() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty"), "\nhunter2");
        Map<String, String> environment = Map.of("TIPROXY_B_PASSWORD_FILE", empty.toString());

        Settings settings = file(environment, "b.password-file = \"nowhere\"");

        assertThat(errors())
                .containsExactly(
                        "x.toml:1: b.password-file: \"nowhere\": no such file",
                        "TIPROXY_B_PASSWORD_FILE: \"" + empty + "\": the first line of " + empty + " is empty");
        assertThat(settings.find(PASSWORD)).isNull();
        assertThat(settings.isMissing(PASSWORD)).isFalse();
    }

    @Test
    void secretAndItsFileExcludeEachOther() throws IOException {
        Files.writeString(folder.resolve("secret"), "hunter2");

        file("[b]", "password = \"hunter2\"", "password-file = \"secret\"");

        assertThat(errors())
                .containsExactly("x.toml:3: b.password-file: give either b.password or b.password-file, not both");
    }

    @Test
    void relativePathsInTheFileStartAtItsFolder() throws IOException {
        assertThat(file("b.folder = \"data\"").get(FOLDER)).isEqualTo(folder.resolve("data"));
        assertThat(file(Map.of("TIPROXY_B_FOLDER", "data"), "").get(FOLDER)).isEqualTo(Path.of("data"));
        assertThat(file("b.folder = \"/data\"").get(FOLDER)).isEqualTo(Path.of("/data"));
    }

    @Test
    void keysOfOthersAreNamedInOneWarning() throws IOException {
        file("[other]", "x = 1", "[other.deep]", "y = 2", "[a]", "old = 3", "name = \"n\"");

        assertThat(errors()).isEmpty();
        assertThat(warnings())
                .containsExactly("x.toml: ignored, because they do not apply here: other.x, other.deep.y, a.old");
    }

    @Test
    void variablesThatKubernetesMakesOfAServiceAreNotOurs() {
        reader(Map.of(
                "TIPROXY_SERVICE_HOST", "10.0.0.1",
                "TIPROXY_SERVICE_PORT", "4000",
                "TIPROXY_SERVICE_PORT_MYSQL", "4000",
                "TIPROXY_PORT", "tcp://10.0.0.1:4000",
                "TIPROXY_PORT_4000_TCP", "tcp://10.0.0.1:4000",
                "TIPROXY_PORT_4000_TCP_ADDR", "10.0.0.1",
                "TIPROXY_CONFIG", "x.toml"));

        assertThat(errors()).isEmpty();
    }

    @Test
    void unreadableFilesAreReportedWhereTheyWereNamed() throws IOException {
        Path binary = Files.write(folder.resolve("binary"), new byte[] {'#', (byte) 0xff, '\n'});
        SettingsReader reader = reader(Map.of());

        reader.readFile(folder.resolve("none.toml"), "none.toml", Origin.ofFlag("--config", ""));
        reader.readFile(folder, "folder", Origin.ofFlag("--config", ""));
        reader.readFile(binary, "binary", Origin.ofVariable("TIPROXY_CONFIG", ""));

        assertThat(errors())
                .containsExactly(
                        "TIPROXY_CONFIG: \"binary\": cannot be read: it is not UTF-8 text",
                        "--config: \"none.toml\": no such file",
                        "--config: \"folder\": cannot be read: it is a folder");
        assertThat(reader.settings().isMissing(NAME)).isFalse();
    }

    @Test
    void valuesAreShownOnOneHarmlessLine() {
        reader(Map.of("TIPROXY_A_COUNT", "1\n\u001b[2J\"" + "x".repeat(200)));

        assertThat(errors())
                .singleElement()
                .asString()
                .doesNotContain("\n", "\u001b")
                .contains("1\\n\\u001b[2J\\\"xx", "…");
    }

    @Test
    void keysWithoutValueAndDefaultAreAbsent() {
        Settings settings = reader(Map.of()).settings();

        assertThat(settings.find(DEEP)).isNull();
        assertThat(settings.isMissing(DEEP)).isTrue();
        assertThatThrownBy(() -> settings.get(DEEP))
                .isInstanceOf(NoSuchElementException.class)
                .hasMessageContaining("b.deep.key");
    }

    @Test
    void fileTextIsReadAsUtf8() throws IOException {
        assertThat(file("a.name = \"µ€\"").get(NAME)).isEqualTo("µ€");
    }
}
