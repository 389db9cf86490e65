package org.tiproxy.agent.driver;

import java.util.ArrayList;
import java.util.List;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;

/**
 * Copies a method of a driver and puts the calls of the hook into it. In Java, what comes before the method would be
 *
 * <pre>
 * Object answer;
 * try {
 *     Function hook = (Function) ClassLoader.getSystemClassLoader()
 *             .loadClass("org.tiproxy.agent.bootstrap.Bridge").getField("HOOK").get(null);
 *     answer = hook == null ? null : hook.apply(new Object[] {point, driver, …});
 * } catch (Throwable e) {
 *     answer = null;
 * }
 * if (answer != null) {
 *     return (Socket) answer;
 * }
 * </pre>
 *
 * with types of the JDK only, as the driver's class loader need not see more. Frames are written in full, which the reader
 * has to expand.
 *
 * @see <a href="https://docs.oracle.com/javase/specs/jvms/se17/html/jvms-4.html#jvms-4.7.4">StackMapTable</a>
 */
final class HookCalls extends MethodVisitor {
    private static final String BRIDGE = "org.tiproxy.agent.bootstrap.Bridge";
    private static final String OBJECT = "java/lang/Object";
    private static final String THROWABLE = "java/lang/Throwable";
    private static final String FUNCTION = "java/util/function/Function";
    private static final Object[] NO_LOCALS = {};

    private final WovenClass driver;
    private final WovenMethod.Signature method;
    private final String point;
    private final Advice advice;
    private final Label begin = new Label();

    HookCalls(MethodVisitor copy, WovenClass driver, WovenMethod.Signature method, WovenMethod woven) {
        super(Opcodes.ASM9, copy);
        this.driver = driver;
        this.method = method;
        this.point = woven.point();
        this.advice = woven.advice();
        if (advice.effect() == Advice.Effect.AROUND && !method.isVoid()) {
            throw new IllegalArgumentException("around a method with a result: " + method.name());
        }
    }

    @Override
    public void visitCode() {
        super.visitCode();
        call(frameAtStart(), true);
        Label goesOn = new Label();
        switch (advice.effect()) {
            case ANSWER, SKIP -> {
                super.visitInsn(Opcodes.DUP);
                super.visitJumpInsn(Opcodes.IFNULL, goesOn);
                leave();
                super.visitLabel(goesOn);
                frame(frameAtStart(), OBJECT);
            }
            case BEFORE, AROUND -> {}
        }
        super.visitInsn(Opcodes.POP);
        super.visitLabel(begin);
    }

    /** Returns with the answer, which is on the stack, or without. */
    private void leave() {
        if (method.isVoid()) {
            super.visitInsn(Opcodes.RETURN);
            return;
        }
        if (advice.effect() == Advice.Effect.SKIP) {
            super.visitInsn(Opcodes.ACONST_NULL);
        } else {
            super.visitTypeInsn(Opcodes.CHECKCAST, method.result().getInternalName());
        }
        super.visitInsn(Opcodes.ARETURN);
    }

    @Override
    public void visitInsn(int opcode) {
        if (advice.effect() == Advice.Effect.AROUND && opcode == Opcodes.RETURN) {
            call(frameAtStart(), false);
            super.visitInsn(Opcodes.POP);
        }
        super.visitInsn(opcode);
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
        if (advice.effect() == Advice.Effect.AROUND) {
            Label end = new Label();
            super.visitLabel(end);
            // Last in the table: the method's own handlers come first.
            super.visitTryCatchBlock(begin, end, end, THROWABLE);
            frame(NO_LOCALS, THROWABLE);
            super.visitVarInsn(Opcodes.ASTORE, 0);
            call(new Object[] {THROWABLE}, false);
            super.visitInsn(Opcodes.POP);
            super.visitVarInsn(Opcodes.ALOAD, 0);
            super.visitInsn(Opcodes.ATHROW);
        }
        super.visitMaxs(maxStack, maxLocals);
    }

    /** Leaves the hook's answer on the stack, or null. */
    private void call(Object[] locals, boolean withValues) {
        Label start = new Label();
        Label end = new Label();
        Label failed = new Label();
        Label done = new Label();
        super.visitTryCatchBlock(start, end, failed, THROWABLE);
        super.visitLabel(start);
        pushHook();
        super.visitInsn(Opcodes.DUP);
        super.visitJumpInsn(Opcodes.IFNULL, done);
        pushValues(withValues);
        super.visitMethodInsn(
                Opcodes.INVOKEINTERFACE, FUNCTION, "apply", "(Ljava/lang/Object;)Ljava/lang/Object;", true);
        super.visitLabel(end);
        super.visitJumpInsn(Opcodes.GOTO, done);
        super.visitLabel(failed);
        frame(locals, THROWABLE);
        super.visitInsn(Opcodes.POP);
        super.visitInsn(Opcodes.ACONST_NULL);
        super.visitLabel(done);
        frame(locals, OBJECT);
    }

    private void pushHook() {
        super.visitMethodInsn(
                Opcodes.INVOKESTATIC,
                "java/lang/ClassLoader",
                "getSystemClassLoader",
                "()Ljava/lang/ClassLoader;",
                false);
        super.visitLdcInsn(BRIDGE);
        super.visitMethodInsn(
                Opcodes.INVOKEVIRTUAL,
                "java/lang/ClassLoader",
                "loadClass",
                "(Ljava/lang/String;)Ljava/lang/Class;",
                false);
        super.visitLdcInsn("HOOK");
        super.visitMethodInsn(
                Opcodes.INVOKEVIRTUAL,
                "java/lang/Class",
                "getField",
                "(Ljava/lang/String;)Ljava/lang/reflect/Field;",
                false);
        super.visitInsn(Opcodes.ACONST_NULL);
        super.visitMethodInsn(
                Opcodes.INVOKEVIRTUAL,
                "java/lang/reflect/Field",
                "get",
                "(Ljava/lang/Object;)Ljava/lang/Object;",
                false);
        super.visitTypeInsn(Opcodes.CHECKCAST, FUNCTION);
    }

    private void pushValues(boolean all) {
        boolean subject = all && advice.subject() != Advice.Subject.NOTHING;
        boolean arguments = all && advice.arguments();
        pushArray(2 + (subject ? 1 : 0) + (arguments ? 1 : 0));
        store(0, () -> super.visitLdcInsn(point));
        store(1, () -> super.visitLdcInsn(Type.getObjectType(driver.internalName())));
        if (subject) {
            store(2, this::pushSubject);
        }
        if (arguments) {
            store(subject ? 3 : 2, this::pushArguments);
        }
    }

    private void pushSubject() {
        switch (advice.subject()) {
            case THIS -> super.visitVarInsn(Opcodes.ALOAD, 0);
            case SECOND_ARGUMENT -> super.visitVarInsn(Opcodes.ALOAD, slotOf(1));
            case FIELD -> {
                String name = String.valueOf(advice.name());
                super.visitVarInsn(Opcodes.ALOAD, 0);
                super.visitFieldInsn(Opcodes.GETFIELD, driver.internalName(), name, driver.typeOfField(name));
            }
            case NOTHING -> super.visitInsn(Opcodes.ACONST_NULL);
        }
    }

    private void pushArguments() {
        List<Type> types = method.parameters();
        pushArray(types.size());
        for (int i = 0; i < types.size(); i++) {
            int index = i;
            store(index, () -> {
                super.visitVarInsn(types.get(index).getOpcode(Opcodes.ILOAD), slotOf(index));
                box(types.get(index));
            });
        }
    }

    private void box(Type type) {
        String boxed = switch (type.getSort()) {
            case Type.BOOLEAN -> "java/lang/Boolean";
            case Type.CHAR -> "java/lang/Character";
            case Type.BYTE -> "java/lang/Byte";
            case Type.SHORT -> "java/lang/Short";
            case Type.INT -> "java/lang/Integer";
            case Type.FLOAT -> "java/lang/Float";
            case Type.LONG -> "java/lang/Long";
            case Type.DOUBLE -> "java/lang/Double";
            default -> "";
        };
        if (!boxed.isEmpty()) {
            super.visitMethodInsn(
                    Opcodes.INVOKESTATIC, boxed, "valueOf", "(" + type.getDescriptor() + ")L" + boxed + ";", false);
        }
    }

    private void pushArray(int length) {
        super.visitIntInsn(Opcodes.BIPUSH, length);
        super.visitTypeInsn(Opcodes.ANEWARRAY, OBJECT);
    }

    private void store(int index, Runnable push) {
        super.visitInsn(Opcodes.DUP);
        super.visitIntInsn(Opcodes.BIPUSH, index);
        push.run();
        super.visitInsn(Opcodes.AASTORE);
    }

    private int slotOf(int parameter) {
        int slot = method.isStatic() ? 0 : 1;
        for (int i = 0; i < parameter; i++) {
            slot += method.parameters().get(i).getSize();
        }
        return slot;
    }

    /** The variables that a method begins with. Parameters keep their types as long as it runs. */
    private Object[] frameAtStart() {
        List<Object> locals = new ArrayList<>();
        if (!method.isStatic()) {
            locals.add(driver.internalName());
        }
        method.parameters().stream()
                .map(type -> switch (type.getSort()) {
                    case Type.BOOLEAN, Type.CHAR, Type.BYTE, Type.SHORT, Type.INT -> Opcodes.INTEGER;
                    case Type.FLOAT -> Opcodes.FLOAT;
                    case Type.LONG -> Opcodes.LONG;
                    case Type.DOUBLE -> Opcodes.DOUBLE;
                    default -> type.getInternalName();
                })
                .forEach(locals::add);
        return locals.toArray();
    }

    private void frame(Object[] locals, Object onStack) {
        if (driver.hasFrames()) {
            super.visitFrame(Opcodes.F_NEW, locals.length, locals, 1, new Object[] {onStack});
        }
    }
}
