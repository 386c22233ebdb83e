using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Muster.Domain;
using Muster.Gateway.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Whose each field of a rollout is: each rollout's own, a strategy's, or nobody's who orders.</summary>
public sealed class RolloutFieldsTests
{
    private static readonly ResourceId Id = ResourceId.TryParse("spring", out var id) ? id : throw new FormatException();

    public static TheoryData<string> Fields() => [.. V1.Rollout.Descriptor.Fields.InDeclarationOrder().Select(field => field.Name)];

    [Theory]
    [MemberData(nameof(Fields))]
    public void Field_IsSpecOrShownAndFoundWhereItIsSet(string name)
    {
        var field = V1.Rollout.Descriptor.FindFieldByName(name);
        var rollout = new V1.Rollout { Waves = { new V1.WaveSpec { Percent = 100 } } };
        var bare = RolloutsMapping.ToSpec(Id, rollout);

        Set(rollout, field, depth: 0);

        var isShown = RolloutFields.Shown.Contains(name);
        Assert.True(
            isShown == (RolloutsMapping.ToSpec(Id, rollout) == bare),
            $"{name}: is it output only? Then RolloutFields has to say so; else it is ordered, and has to be mapped.");
        var isOrder = RolloutFields.Order.Contains(name);
        Assert.Equal(isOrder, RolloutFields.OrderIn(rollout).Contains(name));
        Assert.Equal(!isOrder && !isShown, RolloutFields.CourseIn(rollout).Contains(name));
        Assert.False(isOrder && isShown);
    }

    [Fact]
    public void Fields_OfAnEmptyRollout_AreNone()
    {
        Assert.Empty(RolloutFields.CourseIn(new V1.Rollout()));
        Assert.Empty(RolloutFields.OrderIn(new V1.Rollout()));
    }

    private static void Set(IMessage message, FieldDescriptor field, int depth)
    {
        object value = field switch
        {
            { Name: "retry_of" } => "tenants/default/rollouts/winter",
            { Name: "image" } => "tenants/default/images/" + new string('a', 64),
            { FieldType: FieldType.String } => "x",
            { FieldType: FieldType.Bool } => true,
            { FieldType: FieldType.Int32 } => 3,
            { FieldType: FieldType.Int64 } => 3L,
            { FieldType: FieldType.Double } => 2.0,
            { FieldType: FieldType.Enum } => field.EnumType.Values[^1].Number,
            _ when field.MessageType.FullName == Duration.Descriptor.FullName => new Duration { Seconds = 90 },
            _ => Fill(field.MessageType, depth),
        };
        if (field.IsRepeated)
        {
            ((IList)field.Accessor.GetValue(message)).Add(value);
        }
        else
        {
            field.Accessor.SetValue(message, value);
        }
    }

    private static IMessage Fill(MessageDescriptor type, int depth)
    {
        var message = (IMessage)Activator.CreateInstance(type.ClrType)!;
        foreach (var field in type.Fields.InDeclarationOrder().Where(field => depth < 3 || field.FieldType != FieldType.Message))
        {
            Set(message, field, depth + 1);
        }

        return message;
    }
}
