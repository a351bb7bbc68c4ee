"""The schema of a resource, read from code as the bindings' generator writes it."""

from infra.offline.schema import read_module

CODE = """
function topicPolicyToHclTerraform(struct) {
    const attrs = {
        regions: {
            value: cdktn.listMapperHcl(cdktn.stringToHclTerraform, false)(struct.regions),
            isBlock: false,
            type: "set",
            storageClassType: "stringList",
        },
    };
}
class TopicPolicyOutputReference extends cdktn.ComplexObject {
    // regions - computed: false, optional: false, required: true
    _regions;
    // state - computed: true, optional: false, required: false
    get state() {
        return this.getStringAttribute('state');
    }
}
class Topic extends cdktn.TerraformResource {
    static tfResourceType = "google_topic";
    // labels - computed: false, optional: true, required: false
    _labels;
    // name - computed: false, optional: false, required: true
    _name;
    // number - computed: true, optional: false, required: false
    get number() {
        return this.getNumberAttribute('number');
    }
    // policy - computed: false, optional: false, required: true
    _policy = new TopicPolicyOutputReference(this, "policy");
    // rules - computed: false, optional: true, required: false
    _rules = new TopicPolicyList(this, "rules", false);
    synthesizeHclAttributes() {
        const attrs = {
            labels: {
                value: cdktn.hashMapperHcl(cdktn.stringToHclTerraform)(this._labels),
                isBlock: false,
                type: "map",
                storageClassType: "stringMap",
            },
            name: {
                value: cdktn.stringToHclTerraform(this._name),
                isBlock: false,
                type: "simple",
                storageClassType: "string",
            },
            policy: {
                value: topicPolicyToHclTerraform(this._policy.internalValue),
                isBlock: true,
                type: "list",
                storageClassType: "TopicPolicyList",
            },
            rules: {
                value: cdktn.listMapperHcl(topicPolicyToHclTerraform, true)(this._rules.internalValue),
                isBlock: true,
                type: "list",
                storageClassType: "TopicPolicyList",
            },
        };
    }
}
"""


def test_arguments_have_their_types_and_say_who_sets_them() -> None:
    name, block = read_module(CODE) or ("", {})

    assert name == "google_topic"
    assert block["attributes"] == {
        "labels": {"type": ["map", "string"], "required": False, "optional": True, "computed": False},
        "name": {"type": "string", "required": True, "optional": False, "computed": False},
        "number": {"type": "number", "required": False, "optional": False, "computed": True},
    }


def test_block_says_how_often_it_may_stand_there_and_what_it_takes() -> None:
    _, block = read_module(CODE) or ("", {})

    policy, rules = block["blocks"]["policy"], block["blocks"]["rules"]
    assert (policy["nesting"], policy["min_items"], policy["max_items"]) == ("LIST", 1, 1)
    assert (rules["nesting"], rules["min_items"], rules["max_items"]) == ("LIST", 0, 0)
    assert policy["block"]["attributes"] == {
        "regions": {"type": ["set", "string"], "required": True, "optional": False, "computed": False},
        "state": {"type": "string", "required": False, "optional": False, "computed": True},
    }


def test_code_that_is_no_resource_is_passed_over() -> None:
    assert read_module("class Helper extends cdktn.ComplexObject {\n}\n") is None
